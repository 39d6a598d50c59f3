{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="counted_on",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("line", "insight_followers")) }}
)

select
    {{ parse_date("versions._record_id") }} as counted_on,
    fields.status,
    coalesce(fields.status = 'ready', false) as is_ready,
    fields.followers as ever_followed_count,
    fields.blocks as blocking_count,
    fields.followers - fields.blocks as friend_count,
    fields."targetedReaches" as targeted_reach_count,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    status text,
    followers bigint,
    blocks bigint,
    "targetedReaches" bigint
) on true
