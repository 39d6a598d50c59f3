with orders as (
    select
        shopify_order_id,
        refunds
    from {{ ref("stg_shopify__orders") }}
)

select
    fields.id as shopify_refund_id,
    orders.shopify_order_id,
    fields."createdAt" as refunded_at,
    coalesce((fields."totalRefundedSet" -> 'shopMoney' ->> 'amount')::numeric, 0) as refunded_incl_tax
from orders
cross join lateral jsonb_to_recordset(orders.refunds) as fields (
    id text,
    "createdAt" timestamptz,
    "totalRefundedSet" jsonb
)
