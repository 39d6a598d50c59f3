{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="zendesk_ticket_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("zendesk", "deleted_tickets")) }}
)

select
    versions._record_id as zendesk_ticket_id,
    fields.subject,
    fields.actor ->> 'id' as deleted_by_zendesk_user_id,
    fields.previous_state as status_before,
    fields.deleted_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    subject text,
    actor jsonb,
    previous_state text,
    deleted_at timestamptz
) on true
