{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="zendesk_satisfaction_rating_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("zendesk", "satisfaction_ratings")) }}
)

select
    versions._record_id as zendesk_satisfaction_rating_id,
    fields.ticket_id::text as zendesk_ticket_id,
    fields.requester_id::text as zendesk_user_id,
    fields.assignee_id::text as zendesk_agent_id,
    fields.score,
    -- Asked for and not answered is no opinion.
    case
        when fields.score like 'good%' then true
        when fields.score like 'bad%' then false
    end as is_good,
    fields.comment,
    fields.reason,
    fields.created_at as offered_at,
    case when fields.score like 'good%' or fields.score like 'bad%' then fields.updated_at end as rated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    ticket_id bigint,
    requester_id bigint,
    assignee_id bigint,
    score text,
    comment text,
    reason text,
    created_at timestamptz,
    updated_at timestamptz
) on true
