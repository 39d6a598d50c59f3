with orders as (
    select
        shopify_order_id,
        discount_applications,
        order_lines
    from {{ ref("stg_shopify__orders") }}
),

-- What each application took off the lines of its order.
allocations as (
    select
        orders.shopify_order_id,
        (allocation.node -> 'discountApplication' ->> 'index')::int as discount_index,
        sum((allocation.node -> 'allocatedAmountSet' -> 'shopMoney' ->> 'amount')::numeric) as allocated_amount
    from orders
    cross join lateral jsonb_path_query(orders.order_lines, '$[*].discountAllocations[*]') as allocation (node)
    group by orders.shopify_order_id, discount_index
),

applications as (
    select
        orders.shopify_order_id,
        fields.*
    from orders
    cross join lateral jsonb_to_recordset(orders.discount_applications) as fields (
        index int,
        __typename text,
        code text,
        title text,
        "targetType" text,
        "targetSelection" text,
        "allocationMethod" text,
        value jsonb
    )
)

select
    applications.shopify_order_id || ':' || applications.index as shopify_discount_id,
    applications.shopify_order_id,
    applications.index as discount_index,
    applications.__typename as discount_kind,
    applications.code as discount_code,
    applications.title,
    applications."targetType" as target_type,
    applications."targetSelection" as target_selection,
    applications."allocationMethod" as allocation_method,
    (applications.value ->> 'percentage')::numeric as percentage,
    (applications.value ->> 'amount')::numeric as amount,
    coalesce(allocations.allocated_amount, 0) as allocated_to_lines
from applications
left join allocations
    on
        applications.shopify_order_id = allocations.shopify_order_id
        and applications.index = allocations.discount_index
