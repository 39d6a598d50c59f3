with products as (
    select
        shopify_product_id,
        variants
    from {{ ref("stg_shopify__products") }}
)

select
    fields.id as shopify_product_variant_id,
    products.shopify_product_id,
    fields.sku,
    fields.title,
    fields.barcode,
    fields.position as variant_position,
    fields.price,
    fields."compareAtPrice" as compare_at_price,
    coalesce(nullif(fields."selectedOptions", 'null'), '[]') as selected_options,
    fields."createdAt" as created_at,
    fields."updatedAt" as updated_at
from products
cross join lateral jsonb_to_recordset(products.variants) as fields (
    id text,
    sku text,
    title text,
    barcode text,
    position int,
    price numeric,
    "compareAtPrice" numeric,
    "selectedOptions" jsonb,
    "createdAt" timestamptz,
    "updatedAt" timestamptz
)
