{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_order_item_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "order_items")) }}
)

select
    versions._record_id as files_order_item_id,
    versions.payload ->> 'system' as source_system,
    fields.order_number,
    fields.line_number,
    fields.sku,
    fields.title,
    fields.category,
    fields.quantity,
    fields.unit_price,
    fields.line_total,
    fields.tax_rate,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'fields') as fields (
    order_number text,
    line_number bigint,
    sku text,
    title text,
    category text,
    quantity bigint,
    unit_price numeric,
    line_total numeric,
    tax_rate numeric
) on true
