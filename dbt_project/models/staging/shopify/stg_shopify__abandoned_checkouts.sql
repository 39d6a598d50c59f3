{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="shopify_checkout_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("shopify", "abandoned_checkouts")) }}
)

select
    versions._record_id as shopify_checkout_id,
    fields.name as checkout_name,
    fields.customer ->> 'id' as shopify_customer_id,
    'shopify:customer:' || (fields.customer ->> 'id') as record_key,
    fields."createdAt" as created_at,
    fields."updatedAt" as updated_at,
    fields."completedAt" as completed_at,
    fields."completedAt" is not null as is_completed,
    fields."totalPriceSet" -> 'shopMoney' ->> 'currencyCode' as currency,
    (fields."totalPriceSet" -> 'shopMoney' ->> 'amount')::numeric as total_incl_tax,
    (fields."subtotalPriceSet" -> 'shopMoney' ->> 'amount')::numeric as subtotal,
    (fields."totalDiscountSet" -> 'shopMoney' ->> 'amount')::numeric as discount_amount,
    (fields."totalTaxSet" -> 'shopMoney' ->> 'amount')::numeric as tax_amount,
    coalesce(nullif(fields."discountCodes", 'null'), '[]') as discount_codes,
    coalesce(nullif(fields."lineItems" -> 'nodes', 'null'), '[]') as checkout_lines,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    name text,
    customer jsonb,
    "createdAt" timestamptz,
    "updatedAt" timestamptz,
    "completedAt" timestamptz,
    "totalPriceSet" jsonb,
    "subtotalPriceSet" jsonb,
    "totalDiscountSet" jsonb,
    "totalTaxSet" jsonb,
    "discountCodes" jsonb,
    "lineItems" jsonb
) on true
