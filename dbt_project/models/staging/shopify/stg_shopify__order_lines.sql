with orders as (
    select
        shopify_order_id,
        order_lines
    from {{ ref("stg_shopify__orders") }}
)

select
    fields.id as shopify_order_line_id,
    orders.shopify_order_id,
    line.line_number::int as line_number,
    fields.product ->> 'id' as shopify_product_id,
    fields.product ->> 'productType' as product_type,
    fields.sku,
    fields.title,
    fields.quantity,
    (fields."originalUnitPriceSet" -> 'shopMoney' ->> 'amount')::numeric as unit_price,
    (fields."discountedTotalSet" -> 'shopMoney' ->> 'amount')::numeric as line_total
from orders
cross join lateral jsonb_array_elements(orders.order_lines) with ordinality as line (node, line_number)
cross join lateral jsonb_to_record(line.node) as fields (
    id text,
    sku text,
    title text,
    quantity int,
    product jsonb,
    "originalUnitPriceSet" jsonb,
    "discountedTotalSet" jsonb
)
