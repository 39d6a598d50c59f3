with orders as (
    select
        shopify_order_id,
        shipping_lines
    from {{ ref("stg_shopify__orders") }}
)

-- A shipping line may have no id of its own; its place in the order always tells it.
select
    orders.shopify_order_id || ':' || line.line_number as shopify_shipping_line_id,
    orders.shopify_order_id,
    line.line_number::int as line_number,
    fields.title,
    fields.code as shipping_code,
    coalesce(fields."isRemoved", false) as is_removed,
    (fields."originalPriceSet" -> 'shopMoney' ->> 'amount')::numeric as price,
    (fields."discountedPriceSet" -> 'shopMoney' ->> 'amount')::numeric as discounted_price
from orders
cross join lateral jsonb_array_elements(orders.shipping_lines) with ordinality as line (node, line_number)
cross join lateral jsonb_to_record(line.node) as fields (
    title text,
    code text,
    "isRemoved" boolean,
    "originalPriceSet" jsonb,
    "discountedPriceSet" jsonb
)
