{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="intercom_contact_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("intercom", "contacts")) }}
)

select
    versions._record_id as intercom_contact_id,
    'intercom:contact:' || versions._record_id as record_key,
    fields.role,
    fields.external_id,
    fields.name,
    fields.email,
    fields.phone,
    fields.location ->> 'region' as region,
    coalesce(fields.unsubscribed_from_emails, false) as is_unsubscribed,
    coalesce(fields.has_hard_bounced, false) as has_bounced,
    coalesce(fields.marked_email_as_spam, false) as has_marked_spam,
    to_timestamp(fields.created_at) as created_at,
    to_timestamp(fields.signed_up_at) as signed_up_at,
    to_timestamp(fields.last_seen_at) as last_seen_at,
    to_timestamp(fields.updated_at) as updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    role text,
    external_id text,
    name text,
    email text,
    phone text,
    location jsonb,
    unsubscribed_from_emails boolean,
    has_hard_bounced boolean,
    marked_email_as_spam boolean,
    created_at bigint,
    signed_up_at bigint,
    last_seen_at bigint,
    updated_at bigint
) on true
