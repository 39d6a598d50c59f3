{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="intercom_segment_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("intercom", "segments")) }}
)

select
    versions._record_id as intercom_segment_id,
    versions.payload ->> 'name' as name,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
