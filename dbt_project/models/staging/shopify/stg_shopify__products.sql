{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="shopify_product_id",
    on_schema_change="fail",
    post_hook=[remove_deleted(), "{{ remove_told_gone('product', 'shopify_product_id') }}"],
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("shopify", "products")) }}
)

select
    versions._record_id as shopify_product_id,
    fields.title,
    fields."productType" as product_type,
    fields.vendor,
    fields.status,
    coalesce(nullif(fields.tags, 'null'), '[]') as tags,
    coalesce(nullif(fields.variants -> 'nodes', 'null'), '[]') as variants,
    fields."createdAt" as created_at,
    fields."updatedAt" as updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    title text,
    "productType" text,
    vendor text,
    status text,
    tags jsonb,
    variants jsonb,
    "createdAt" timestamptz,
    "updatedAt" timestamptz
) on true
