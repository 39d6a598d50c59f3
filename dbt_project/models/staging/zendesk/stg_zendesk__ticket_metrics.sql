with tickets as (
    select
        zendesk_ticket_id,
        metrics
    from {{ ref("stg_zendesk__tickets") }}
    where metrics is not null
)

select
    tickets.zendesk_ticket_id,
    fields.replies as reply_count,
    fields.reopens as reopen_count,
    fields.group_stations as group_count,
    fields.assignee_stations as agent_count,
    (fields.reply_time_in_minutes ->> 'calendar')::int as first_reply_minutes,
    (fields.reply_time_in_minutes ->> 'business')::int as first_reply_business_minutes,
    (fields.first_resolution_time_in_minutes ->> 'calendar')::int as first_resolution_minutes,
    (fields.first_resolution_time_in_minutes ->> 'business')::int as first_resolution_business_minutes,
    (fields.full_resolution_time_in_minutes ->> 'calendar')::int as full_resolution_minutes,
    (fields.full_resolution_time_in_minutes ->> 'business')::int as full_resolution_business_minutes,
    (fields.requester_wait_time_in_minutes ->> 'calendar')::int as requester_wait_minutes,
    (fields.agent_wait_time_in_minutes ->> 'calendar')::int as agent_wait_minutes,
    (fields.on_hold_time_in_minutes ->> 'calendar')::int as on_hold_minutes,
    fields.initially_assigned_at as first_assigned_at,
    fields.latest_comment_added_at as last_comment_at,
    fields.solved_at
from tickets
cross join lateral jsonb_to_record(tickets.metrics) as fields (
    replies int,
    reopens int,
    group_stations int,
    assignee_stations int,
    reply_time_in_minutes jsonb,
    first_resolution_time_in_minutes jsonb,
    full_resolution_time_in_minutes jsonb,
    requester_wait_time_in_minutes jsonb,
    agent_wait_time_in_minutes jsonb,
    on_hold_time_in_minutes jsonb,
    initially_assigned_at timestamptz,
    latest_comment_added_at timestamptz,
    solved_at timestamptz
)
