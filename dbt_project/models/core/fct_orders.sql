{% set rules = strategy("purchase_rules") %}

with refunds as (
    select
        shopify_order_id,
        sum(refunded_incl_tax) as refunded_incl_tax
    from {{ ref("stg_shopify__refunds") }}
    where {{ business_date("refunded_at") }} <= {{ as_of() }}
    group by shopify_order_id
),

orders as (
    select
        'shopify' as source,
        orders.shopify_order_id,
        orders.record_key,
        orders.ordered_at,
        orders.source_channel,
        orders.currency,
        orders.total_incl_tax,
        orders.is_test,
        orders.cancelled_at,
        orders.tags,
        {{ business_date("orders.ordered_at") }} as ordered_on,
        coalesce(refunds.refunded_incl_tax, 0) as refunded_incl_tax
    from {{ ref("stg_shopify__orders") }} as orders
    left join refunds on orders.shopify_order_id = refunds.shopify_order_id
    where {{ business_date("orders.ordered_at") }} <= {{ as_of() }}
),

judged as (
    select
        *,
        coalesce({{ business_date("cancelled_at") }} <= {{ as_of() }}, false) as is_cancelled,
        coalesce(tags ?| array[{{ quoted(strategy("refused_order_tags")) }}]::text[], false) as is_refused,
        total_incl_tax > 0 and refunded_incl_tax >= total_incl_tax as is_fully_refunded,
        total_incl_tax <= 0 as is_free
    from orders
),

counted as (
    select
        *,
        true
        {% for exclusion, flag in [
            ("exclude_test", "is_test"),
            ("exclude_cancelled", "is_cancelled"),
            ("exclude_refused", "is_refused"),
            ("exclude_fully_refunded", "is_fully_refunded"),
            ("exclude_free", "is_free"),
        ] if rules[exclusion] %}
            and not {{ flag }}
        {% endfor %} as is_purchase
    from judged
),

identified as (
    select
        counted.*,
        identities.customer_id
    from counted
    -- A left join: an order that resolves to nobody breaks the contract instead of vanishing.
    left join {{ ref("customer_identities") }} as identities on counted.record_key = identities.record_key
),

numbered as (
    select
        *,
        row_number() over (
            partition by customer_id, is_purchase
            order by ordered_at, source, shopify_order_id collate "C"
        ) as nth_order,
        dense_rank() over (partition by customer_id, is_purchase order by ordered_on) as nth_day
    from identified
)

select
    source || ':' || shopify_order_id as order_id,
    source,
    shopify_order_id as source_order_id,
    customer_id,
    ordered_at,
    ordered_on,
    source_channel,
    currency,
    total_incl_tax::numeric(19, 4) as total_incl_tax,
    refunded_incl_tax::numeric(19, 4) as refunded_incl_tax,
    (total_incl_tax - refunded_incl_tax)::numeric(19, 4) as net_incl_tax,
    is_test,
    is_cancelled,
    is_refused,
    is_fully_refunded,
    is_free,
    is_purchase,
    case when is_purchase then nth_order::int end as order_number,
    case
        when is_purchase then {{ "nth_day" if strategy("same_day_orders") == "merge" else "nth_order" }}::int
    end as purchase_number
from numbered
