with orders as (
    select
        eccube_order_id,
        order_items
    from {{ ref("stg_eccube__orders") }}
),

-- Delivery, charges, discounts and points are rows like goods: what a row is decides what it may be counted as.
items as (
    select
        orders.eccube_order_id,
        item.line_number,
        fields.*,
        case fields."OrderItemType" ->> 'id'
            when '1' then 'product'
            when '2' then 'delivery'
            when '3' then 'charge'
            when '4' then 'discount'
            when '5' then 'tax'
            when '6' then 'points'
            else 'other'
        end as item_type,
        coalesce(fields."TaxDisplayType" ->> 'id', '2') != '1' as is_tax_included
    from orders
    cross join lateral jsonb_array_elements(orders.order_items) with ordinality as item (node, line_number)
    cross join lateral jsonb_to_record(item.node) as fields (
        id text,
        product_name text,
        product_code text,
        class_category_name1 text,
        class_category_name2 text,
        price numeric,
        quantity numeric,
        tax numeric,
        tax_rate numeric,
        "Product" jsonb,
        "ProductClass" jsonb,
        "OrderItemType" jsonb,
        "TaxDisplayType" jsonb
    )
),

-- Prices of goods are mostly without tax, those of the other rows with it.
amounts as (
    select
        items.*,
        round(
            (items.price + case when items.is_tax_included then 0 else coalesce(items.tax, 0) end) * items.quantity, 2
        ) as amount_incl_tax
    from items
)

select
    amounts.id as eccube_order_item_id,
    amounts.eccube_order_id,
    amounts.line_number,
    amounts.item_type,
    amounts.item_type = 'product' as is_product,
    amounts."Product" ->> 'id' as eccube_product_id,
    amounts."ProductClass" ->> 'id' as eccube_product_class_id,
    amounts.product_code as sku,
    amounts.product_name as title,
    nullif(concat_ws(' / ', amounts.class_category_name1, amounts.class_category_name2), '') as variant,
    amounts.quantity,
    round(amounts.price, 2) as unit_price,
    round(amounts.tax, 2) as unit_tax,
    amounts.tax_rate,
    amounts.is_tax_included,
    amounts.amount_incl_tax,
    case when amounts.item_type = 'product' then coalesce(amounts.amount_incl_tax, 0) else 0 end
        as product_revenue_incl_tax
from amounts
