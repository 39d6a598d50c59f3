with contracts as (
    select
        shopify_subscription_contract_id,
        contract_lines
    from {{ ref("stg_shopify__subscription_contracts") }}
)

select
    fields.id as shopify_subscription_line_id,
    contracts.shopify_subscription_contract_id,
    fields."productId" as shopify_product_id,
    fields."variantId" as shopify_product_variant_id,
    fields.sku,
    fields.title,
    fields.quantity,
    fields."sellingPlanName" as selling_plan_name,
    (fields."currentPrice" ->> 'amount')::numeric as unit_price,
    (fields."lineDiscountedPrice" ->> 'amount')::numeric as line_total
from contracts
cross join lateral jsonb_to_recordset(contracts.contract_lines) as fields (
    id text,
    "productId" text,
    "variantId" text,
    sku text,
    title text,
    quantity int,
    "sellingPlanName" text,
    "currentPrice" jsonb,
    "lineDiscountedPrice" jsonb
)
