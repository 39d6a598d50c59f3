with checkouts as (
    select
        shopify_checkout_id,
        checkout_lines
    from {{ ref("stg_shopify__abandoned_checkouts") }}
)

select
    fields.id as shopify_checkout_line_id,
    checkouts.shopify_checkout_id,
    line.line_number::int as line_number,
    fields.product ->> 'id' as shopify_product_id,
    fields.variant ->> 'id' as shopify_product_variant_id,
    fields.sku,
    fields.title,
    fields.quantity,
    (fields."originalTotalPriceSet" -> 'shopMoney' ->> 'amount')::numeric as original_total,
    (fields."discountedTotalPriceSet" -> 'shopMoney' ->> 'amount')::numeric as line_total
from checkouts
cross join lateral jsonb_array_elements(checkouts.checkout_lines) with ordinality as line (node, line_number)
cross join lateral jsonb_to_record(line.node) as fields (
    id text,
    product jsonb,
    variant jsonb,
    sku text,
    title text,
    quantity int,
    "originalTotalPriceSet" jsonb,
    "discountedTotalPriceSet" jsonb
)
