{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="karte_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("karte", "events")) }}
)

select
    versions._record_id as karte_event_id,
    fields.occurred_at,
    fields.event_name,
    fields.user_id,
    fields.visitor_id,
    fields.session_id,
    fields.values -> fields.event_name -> 'message' ->> 'campaign_id' as karte_campaign_id,
    fields.values as event_values,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    occurred_at timestamptz,
    event_name text,
    user_id text,
    visitor_id text,
    session_id text,
    values jsonb
) on true
