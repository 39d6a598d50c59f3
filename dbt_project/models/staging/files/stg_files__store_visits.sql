{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_store_visit_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "store_visits")) }}
)

select
    versions._record_id as files_store_visit_id,
    versions.payload ->> 'system' as source_system,
    {{ files_record_key("store_visit") }} as record_key,
    fields.customer_number,
    fields.email,
    fields.phone,
    fields.brand,
    fields.channel,
    fields.store_code,
    fields.store_name,
    fields.visit_number,
    fields.card_number,
    fields.visited_at,
    fields.purpose,
    fields.staff_code,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'fields') as fields (
    customer_number text,
    email text,
    phone text,
    brand text,
    channel text,
    store_code text,
    store_name text,
    visit_number text,
    card_number text,
    visited_at timestamptz,
    purpose text,
    staff_code text
) on true
