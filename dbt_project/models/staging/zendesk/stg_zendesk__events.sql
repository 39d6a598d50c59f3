{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="zendesk_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("zendesk", "webhooks")) }}
)

select
    versions._record_id as zendesk_event_id,
    -- The vendor writes "zen:event-type:ticket.created" and "zen:ticket:123".
    replace(fields.body ->> 'type', 'zen:event-type:', '') as event_type,
    split_part(fields.body ->> 'subject', ':', 2) as subject_kind,
    split_part(fields.body ->> 'subject', ':', 3) as subject_id,
    case
        when fields.body ->> 'type' like '%:user.merged' then fields.body -> 'event' -> 'user' ->> 'id'
    end as merged_user_id,
    (fields.body ->> 'time')::timestamptz as occurred_at,
    fields.received_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    received_at timestamptz,
    body jsonb
) on true
