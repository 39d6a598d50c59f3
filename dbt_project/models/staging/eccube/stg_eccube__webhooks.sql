{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("eccube", "webhooks")) }}
)

select
    versions._record_id as event_id,
    fields.body ->> 'entity' as entity,
    fields.body ->> 'id' as eccube_record_id,
    fields.body ->> 'action' as action,
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
