{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="zendesk_ticket_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

-- The order of versions is the order in which Zendesk generated them, whenever they were read.
with versions as (
    {{ latest_versions(source("zendesk", "tickets")) }}
)

select
    versions._record_id as zendesk_ticket_id,
    fields.requester_id::text as zendesk_user_id,
    'zendesk:user:' || fields.requester_id as record_key,
    fields.subject,
    fields.description,
    fields.status,
    fields.priority,
    fields.type as ticket_type,
    fields.via ->> 'channel' as channel,
    fields.assignee_id::text as zendesk_agent_id,
    fields.group_id::text as zendesk_group_id,
    coalesce(nullif(fields.tags, 'null'), '[]') as tags,
    coalesce(fields.tags @> '["closed_by_merge"]', false) as is_merged,
    nullif(fields.satisfaction_rating ->> 'score', 'unoffered') as satisfaction_score,
    nullif(fields.metric_set, 'null') as metrics,
    fields.created_at,
    fields.updated_at,
    to_timestamp(fields.generated_timestamp) as generated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted or coalesce(fields.status = 'deleted', false) as _is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    requester_id bigint,
    subject text,
    description text,
    status text,
    priority text,
    type text,
    via jsonb,
    assignee_id bigint,
    group_id bigint,
    tags jsonb,
    satisfaction_rating jsonb,
    metric_set jsonb,
    created_at timestamptz,
    updated_at timestamptz,
    generated_timestamp bigint
) on true
