with orders as (
    select
        shopify_order_id,
        transactions
    from {{ ref("stg_shopify__orders") }}
)

select
    fields.id as shopify_transaction_id,
    orders.shopify_order_id,
    fields."parentTransaction" ->> 'id' as parent_shopify_transaction_id,
    fields.kind,
    fields.status,
    fields.gateway,
    coalesce(fields.test, false) as is_test,
    coalesce(fields."processedAt", fields."createdAt") as processed_at,
    fields."amountSet" -> 'shopMoney' ->> 'currencyCode' as currency,
    (fields."amountSet" -> 'shopMoney' ->> 'amount')::numeric as amount
from orders
cross join lateral jsonb_to_recordset(orders.transactions) as fields (
    id text,
    "parentTransaction" jsonb,
    kind text,
    status text,
    gateway text,
    test boolean,
    "createdAt" timestamptz,
    "processedAt" timestamptz,
    "amountSet" jsonb
)
