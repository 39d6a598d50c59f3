{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="klaviyo_list_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("klaviyo", "lists")) }}
)

select
    versions._record_id as klaviyo_list_id,
    attributes.name,
    attributes.opt_in_process,
    attributes.created as created_at,
    attributes.updated as updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'attributes') as attributes (
    name text,
    opt_in_process text,
    created timestamptz,
    updated timestamptz
) on true
