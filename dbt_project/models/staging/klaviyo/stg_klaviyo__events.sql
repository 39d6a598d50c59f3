{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="klaviyo_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("klaviyo", "events")) }}
)

select
    versions._record_id as klaviyo_event_id,
    versions.payload #>> '{relationships,profile,data,id}' as klaviyo_profile_id,
    versions.payload #>> '{relationships,metric,data,id}' as klaviyo_metric_id,
    attributes.datetime as happened_at,
    case jsonb_typeof(attributes.event_properties -> '$value')
        when 'number' then (attributes.event_properties ->> '$value')::numeric
    end as event_value,
    attributes.event_properties ->> '$event_id' as source_event_id,
    attributes.event_properties ->> '$flow' as klaviyo_flow_id,
    attributes.event_properties ->> '$message' as klaviyo_message_id,
    coalesce(nullif(attributes.event_properties, 'null'), '{}') as event_properties,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'attributes') as attributes (
    datetime timestamptz,
    event_properties jsonb
) on true
