{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="sendgrid_group_unsubscribe_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("sendgrid", "group_unsubscribes")) }}
)

select
    versions._record_id as sendgrid_group_unsubscribe_id,
    fields.email,
    fields.group_id as sendgrid_group_id,
    fields.group_name,
    to_timestamp(fields.created_at) as suppressed_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    email text,
    group_id bigint,
    group_name text,
    created_at bigint
) on true
