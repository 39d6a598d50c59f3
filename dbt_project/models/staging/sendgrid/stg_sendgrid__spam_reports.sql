{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="sendgrid_spam_report_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("sendgrid", "spam_reports")) }}
)

select
    versions._record_id as sendgrid_spam_report_id,
    fields.email,
    fields.ip as sending_ip,
    to_timestamp(fields.created) as suppressed_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    email text,
    ip text,
    created bigint
) on true
