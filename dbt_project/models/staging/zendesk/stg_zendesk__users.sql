{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="zendesk_user_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("zendesk", "users")) }}
)

-- A deleted user stays: the tickets that they wrote are still there, and point here.
select
    versions._record_id as zendesk_user_id,
    'zendesk:user:' || versions._record_id as record_key,
    fields.role,
    fields.role = 'end-user' as is_customer,
    fields.name,
    fields.email,
    fields.phone,
    fields.external_id,
    fields.locale,
    coalesce(nullif(fields.tags, 'null'), '[]') as tags,
    coalesce(fields.active, true) as is_active,
    coalesce(fields.suspended, false) as is_suspended,
    fields.created_at,
    fields.updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    role text,
    name text,
    email text,
    phone text,
    external_id text,
    locale text,
    tags jsonb,
    active boolean,
    suspended boolean,
    created_at timestamptz,
    updated_at timestamptz
) on true
