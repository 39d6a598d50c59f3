{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="asked_on",
    on_schema_change="fail",
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("line", "insight_demographics")) }}
),

-- One list for each way to divide the friends; each part is named by its list's own field.
lists as (
    select
        versions._record_id,
        parts.characteristic,
        parts.field,
        coalesce(nullif(versions.payload -> parts.list, 'null'), '[]') as tiles
    from versions
    cross join (
        values
        ('gender', 'genders', 'gender'),
        ('age', 'ages', 'age'),
        ('area', 'areas', 'area'),
        ('app_type', 'appTypes', 'appType'),
        ('friend_for', 'subscriptionPeriods', 'subscriptionPeriod')
    ) as parts (characteristic, list, field)
),

shares as (
    select
        lists._record_id,
        lists.characteristic,
        tile.fields ->> lists.field as characteristic_value,
        (tile.fields ->> 'percentage')::numeric as percentage
    from lists
    cross join lateral jsonb_array_elements(lists.tiles) as tile (fields)
)

select
    versions._record_id || '/' || shares.characteristic || '/' || shares.characteristic_value as share_key,
    {{ parse_date("versions._record_id") }} as asked_on,
    shares.characteristic,
    shares.characteristic_value,
    shares.percentage,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
inner join shares on versions._record_id = shares._record_id
