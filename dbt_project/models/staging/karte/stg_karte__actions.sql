{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="karte_action_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("karte", "actions")) }}
)

select
    versions._record_id as karte_action_id,
    fields.campaign_id as karte_campaign_id,
    fields.name as action_name,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    campaign_id text,
    name text
) on true
