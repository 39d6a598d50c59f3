{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="zendesk_ticket_metric_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("zendesk", "ticket_metric_events")) }}
)

select
    versions._record_id as zendesk_ticket_metric_event_id,
    fields.ticket_id::text as zendesk_ticket_id,
    fields.metric,
    fields.instance_id as metric_instance,
    fields.type as event_type,
    fields.time as happened_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted or coalesce(fields.deleted, false) as _is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    ticket_id bigint,
    metric text,
    instance_id int,
    type text,
    time timestamptz,
    deleted boolean
) on true
