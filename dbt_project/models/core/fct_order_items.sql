with orders as (
    select * from {{ ref("fct_orders") }}
),

order_lines as (
    select * from {{ ref("stg_shopify__order_lines") }}
)

select
    'shopify:' || order_lines.shopify_order_line_id as order_item_id,
    orders.order_id,
    orders.customer_id,
    orders.ordered_on,
    orders.is_purchase,
    order_lines.line_number,
    order_lines.shopify_product_id as source_product_id,
    order_lines.product_type,
    order_lines.sku,
    order_lines.title,
    order_lines.quantity,
    order_lines.unit_price::numeric(19, 4) as unit_price,
    order_lines.line_total::numeric(19, 4) as line_total
from order_lines
inner join orders on order_lines.shopify_order_id = orders.source_order_id and orders.source = 'shopify'
