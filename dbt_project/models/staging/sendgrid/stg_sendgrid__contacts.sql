{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="sendgrid_contact_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("sendgrid", "contacts")) }}
)

select
    versions._record_id as sendgrid_contact_id,
    fields.email,
    coalesce(nullif(fields.alternate_emails, 'null'), '[]') as alternate_emails,
    fields.phone_number as phone,
    fields.external_id,
    fields.last_name as family_name,
    fields.first_name as given_name,
    fields.country,
    coalesce(nullif(fields.custom_fields, 'null'), '{}') as custom_fields,
    fields.created_at,
    fields.updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    email text,
    alternate_emails jsonb,
    phone_number text,
    external_id text,
    last_name text,
    first_name text,
    country text,
    custom_fields jsonb,
    created_at timestamptz,
    updated_at timestamptz
) on true
