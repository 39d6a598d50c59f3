{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="intercom_conversation_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("intercom", "conversations")) }}
),

-- A conversation shows its newest 500 parts: those that fell off are in the versions that were read before.
newest_of_each_part as (
    select distinct on (versions._record_id, part.node ->> 'id')
        versions._record_id,
        part.node
    from versions
    inner join {{ source("intercom", "conversations") }} as seen on versions._record_id = seen._record_id
    cross join lateral jsonb_path_query(seen.payload, '$.conversation_parts.conversation_parts[*]') as part (node)
    order by
        versions._record_id asc, part.node ->> 'id' asc, seen._source_updated_at desc nulls last, seen._sequence desc
),

parts as (
    select
        newest_of_each_part._record_id,
        count(*) as part_count,
        jsonb_agg(
            newest_of_each_part.node
            order by (newest_of_each_part.node ->> 'created_at')::bigint, newest_of_each_part.node ->> 'id'
        ) as conversation_parts
    from newest_of_each_part
    group by newest_of_each_part._record_id
)

select
    versions._record_id as intercom_conversation_id,
    fields.contacts #>> '{contacts,0,id}' as intercom_contact_id,
    'intercom:contact:' || (fields.contacts #>> '{contacts,0,id}') as record_key,
    fields.state,
    fields.priority = 'priority' as is_priority,
    fields.source ->> 'type' as channel,
    fields.source ->> 'delivered_as' as delivered_as,
    fields.source ->> 'subject' as subject,
    fields.source ->> 'body' as first_message,
    fields.admin_assignee_id::text as intercom_admin_id,
    fields.team_assignee_id::text as intercom_team_id,
    coalesce(jsonb_path_query_array(fields.tags, '$.tags[*].name'), '[]') as tags,
    (fields.statistics ->> 'time_to_admin_reply')::int as first_reply_seconds,
    to_timestamp((fields.statistics ->> 'first_close_at')::bigint) as first_closed_at,
    to_timestamp((fields.statistics ->> 'last_close_at')::bigint) as last_closed_at,
    (fields.statistics ->> 'count_reopens')::int as reopen_count,
    nullif(fields.conversation_rating, 'null') as conversation_rating,
    coalesce(parts.conversation_parts, '[]') as conversation_parts,
    greatest((fields.conversation_parts ->> 'total_count')::int - coalesce(parts.part_count, 0), 0) as lost_part_count,
    to_timestamp(fields.created_at) as created_at,
    to_timestamp(fields.updated_at) as updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join parts on versions._record_id = parts._record_id
left join lateral jsonb_to_record(versions.payload) as fields (
    contacts jsonb,
    state text,
    priority text,
    source jsonb,
    admin_assignee_id bigint,
    team_assignee_id bigint,
    tags jsonb,
    statistics jsonb,
    conversation_rating jsonb,
    conversation_parts jsonb,
    created_at bigint,
    updated_at bigint
) on true
