{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="line_user_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("line", "profiles")) }}
)

select
    versions._record_id as line_user_id,
    coalesce(fields."isFound", false) as is_found,
    nullif(trim(fields."displayName"), '') as display_name,
    fields.language,
    fields."pictureUrl" as picture_url,
    nullif(trim(fields."statusMessage"), '') as status_message,
    fields."askedAt" as asked_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    "isFound" boolean,
    "displayName" text,
    language text,
    "pictureUrl" text,
    "statusMessage" text,
    "askedAt" timestamptz
) on true
