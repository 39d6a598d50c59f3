with orders as (
    select * from {{ ref("fct_orders") }}
),

refunds as (
    select
        *,
        {{ business_date("refunded_at") }} as refunded_on
    from {{ ref("stg_shopify__refunds") }}
)

select
    'shopify:' || refunds.shopify_refund_id as refund_id,
    orders.order_id,
    orders.customer_id,
    refunds.refunded_at,
    refunds.refunded_on,
    orders.currency,
    refunds.refunded_incl_tax::numeric(19, 4) as refunded_incl_tax
from refunds
inner join orders on refunds.shopify_order_id = orders.source_order_id and orders.source = 'shopify'
where refunds.refunded_on <= {{ as_of() }}
