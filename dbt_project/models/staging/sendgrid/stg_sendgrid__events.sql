{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="sendgrid_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("sendgrid", "webhooks")) }}
)

select
    versions._record_id as sendgrid_event_id,
    coalesce(fields.event, 'unknown') as event_type,
    fields.email,
    to_timestamp(fields.timestamp) as happened_at,
    (versions.payload ->> 'received_at')::timestamptz as received_at,
    split_part(fields.sg_message_id, '.', 1) as sendgrid_message_id,
    case jsonb_typeof(fields.category)
        when 'array' then fields.category
        when 'string' then jsonb_build_array(fields.category)
        else '[]'
    end as categories,
    fields.asm_group_id as sendgrid_group_id,
    fields.url as clicked_url,
    coalesce(fields.sg_machine_open, false) as is_machine_open,
    fields.type as bounce_type,
    fields.bounce_classification,
    coalesce(fields.reason, fields.response) as reason,
    fields.status,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(
    jsonb_path_query_first(versions.payload, 'strict $.body ? (@.type() == "object")', '{}', true)
) as fields (
    event text,
    email text,
    "timestamp" bigint,
    sg_message_id text,
    category jsonb,
    asm_group_id bigint,
    url text,
    sg_machine_open boolean,
    "type" text,
    bounce_classification text,
    reason text,
    response text,
    status text
) on true
