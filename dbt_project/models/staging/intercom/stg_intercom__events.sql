{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="intercom_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("intercom", "webhooks")) }}
)

select
    versions._record_id as intercom_event_id,
    fields.body ->> 'topic' as event_type,
    fields.body -> 'data' -> 'item' ->> 'type' as subject_kind,
    fields.body -> 'data' -> 'item' ->> 'id' as subject_id,
    fields.body -> 'data' -> 'item' ->> 'merged_into' as merged_into_contact_id,
    to_timestamp((fields.body ->> 'created_at')::bigint) as occurred_at,
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
