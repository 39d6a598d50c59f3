{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="sendgrid_block_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("sendgrid", "blocks")) }}
)

select
    versions._record_id as sendgrid_block_id,
    fields.email,
    fields.reason,
    fields.status,
    to_timestamp(fields.created) as suppressed_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    email text,
    reason text,
    status text,
    created bigint
) on true
