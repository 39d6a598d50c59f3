with products as (
    select
        eccube_product_id,
        product_classes
    from {{ ref("stg_eccube__products") }}
)

select
    fields.id as eccube_product_class_id,
    products.eccube_product_id,
    fields.code as sku,
    nullif(concat_ws(' / ', fields."ClassCategory1" ->> 'name', fields."ClassCategory2" ->> 'name'), '') as variant,
    round(fields.price02, 2) as price_excl_tax,
    round(fields.price01, 2) as list_price_excl_tax,
    case when not coalesce(fields.stock_unlimited, false) then fields.stock end as stock,
    coalesce(fields.visible, false) as is_visible
from products
cross join lateral jsonb_to_recordset(products.product_classes) as fields (
    id text,
    code text,
    price01 numeric,
    price02 numeric,
    stock numeric,
    stock_unlimited boolean,
    visible boolean,
    "ClassCategory1" jsonb,
    "ClassCategory2" jsonb
)
