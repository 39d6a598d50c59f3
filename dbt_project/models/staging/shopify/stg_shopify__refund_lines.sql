with orders as (
    select
        shopify_order_id,
        refunds
    from {{ ref("stg_shopify__orders") }}
)

select
    refund.node ->> 'id' || ':' || line.place as shopify_refund_line_id,
    refund.node ->> 'id' as shopify_refund_id,
    orders.shopify_order_id,
    fields."lineItem" ->> 'id' as shopify_order_line_id,
    line.place::int as line_number,
    fields.quantity,
    fields."restockType" as restock_type,
    (fields."subtotalSet" -> 'shopMoney' ->> 'amount')::numeric as subtotal
from orders
cross join lateral jsonb_array_elements(orders.refunds) as refund (node)
cross join lateral jsonb_path_query(refund.node, '$.refundLineItems.nodes[*]') with ordinality as line (node, place)
cross join lateral jsonb_to_record(line.node) as fields (
    "lineItem" jsonb,
    quantity int,
    "restockType" text,
    "subtotalSet" jsonb
)
