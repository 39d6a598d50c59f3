{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="line_user_id",
    on_schema_change="fail",
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("line", "followers")) }}
),

-- LINE tells who follows, not since when: the first time we saw the follower is the best that is known.
first_seen as (
    select
        versions._record_id,
        min(seen._extracted_at) as first_seen_at
    from versions
    inner join {{ source("line", "followers") }} as seen on versions._record_id = seen._record_id
    group by versions._record_id
)

select
    versions._record_id as line_user_id,
    not versions._is_deleted as is_friend,
    'line:follower:' || versions._record_id as record_key,
    first_seen.first_seen_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
inner join first_seen on versions._record_id = first_seen._record_id
