{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="klaviyo_list_member_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("klaviyo", "list_members")) }}
)

select
    versions._record_id as klaviyo_list_member_id,
    versions.payload ->> 'group_id' as klaviyo_list_id,
    versions.payload ->> 'id' as klaviyo_profile_id,
    (versions.payload #>> '{attributes,joined_group_at}')::timestamptz as joined_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
