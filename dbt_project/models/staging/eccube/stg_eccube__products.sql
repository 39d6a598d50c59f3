{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="eccube_product_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("eccube", "products")) }}
)

select
    versions._record_id as eccube_product_id,
    fields.name as title,
    case fields."Status" ->> 'id'
        when '1' then 'public'
        when '2' then 'hidden'
        when '3' then 'discontinued'
        else 'other'
    end as status,
    coalesce(nullif(fields."ProductClasses", 'null'), '[]') as product_classes,
    fields.create_date as created_at,
    fields.update_date as updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted or coalesce(fields.is_deleted, false) as _is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    is_deleted boolean,
    name text,
    create_date timestamptz,
    update_date timestamptz,
    "Status" jsonb,
    "ProductClasses" jsonb
) on true
