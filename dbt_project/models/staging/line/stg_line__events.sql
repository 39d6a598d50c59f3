{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="webhook_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("line", "webhooks")) }}
)

select
    versions._record_id as webhook_event_id,
    fields.type as event_type,
    fields.source ->> 'type' as source_type,
    nullif(fields.source ->> 'userId', '') as line_user_id,
    coalesce(fields.source ->> 'groupId', fields.source ->> 'roomId') as line_group_id,
    to_timestamp((fields.timestamp #>> '{}')::numeric / 1000) as happened_at,
    fields.follow -> 'isUnblocked' = 'true' as is_unblocked,
    coalesce(fields.message ->> 'id', fields.unsend ->> 'messageId') as message_id,
    fields.message ->> 'type' as message_type,
    fields.message ->> 'text' as message_text,
    fields.postback ->> 'data' as postback_data,
    fields.postback -> 'params' as postback_parameters,
    fields.link ->> 'result' as link_result,
    fields.link ->> 'nonce' as link_nonce,
    fields."videoPlayComplete" ->> 'trackingId' as video_tracking_id,
    fields.mode as channel_mode,
    (versions.payload ->> 'received_at')::timestamptz as received_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'body') as fields (
    type text,
    mode text,
    "timestamp" jsonb,
    source jsonb,
    follow jsonb,
    message jsonb,
    unsend jsonb,
    postback jsonb,
    link jsonb,
    "videoPlayComplete" jsonb
) on true
-- What was signed but is no event as we know them stays in raw, where the gate tells of it.
where fields.type is not null and jsonb_typeof(fields.timestamp) = 'number'
