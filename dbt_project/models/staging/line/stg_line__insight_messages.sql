{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="unit_month",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("line", "insight_messages")) }}
)

select
    versions._record_id as unit_month,
    fields."customAggregationUnit" as aggregation_unit,
    {{ parse_date("fields.month || '-01'") }} as sent_in_month,
    {{ parse_date("fields.\"to\"") }} as sent_until,
    {{ parse_date("fields.\"askedOn\"") }} as asked_on,
    (fields.overview ->> 'uniqueImpression')::bigint as opened_by_count,
    (fields.overview ->> 'uniqueClick')::bigint as clicked_by_count,
    (fields.overview ->> 'uniqueMediaPlayed')::bigint as played_by_count,
    (fields.overview ->> 'uniqueMediaPlayed100Percent')::bigint as played_to_the_end_by_count,
    coalesce(nullif(fields.messages, 'null'), '[]') as messages,
    coalesce(nullif(fields.clicks, 'null'), '[]') as clicks,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    "customAggregationUnit" text,
    month text,
    "to" text,
    "askedOn" text,
    overview jsonb,
    messages jsonb,
    clicks jsonb
) on true
