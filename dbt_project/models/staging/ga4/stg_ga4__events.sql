{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="ga4_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("ga4", "events")) }}
),

events as (
    select
        versions._record_id as ga4_event_id,
        to_date(fields.event_date, 'YYYYMMDD') as event_on,
        to_timestamp(fields.event_timestamp / 1000000)
        + fields.event_timestamp % 1000000 * interval '1 microsecond' as occurred_at,
        fields.event_name,
        fields.user_pseudo_id,
        nullif(trim(fields.user_id), '') as user_id,
        {{ event_parameter("ga_session_id") }} as ga_session_id,
        {{ event_parameter("ga_session_number") }}::numeric::bigint as session_number,
        {{ event_parameter("page_location") }} as page_location,
        {{ event_parameter("page_title") }} as page_title,
        {{ event_parameter("page_referrer") }} as page_referrer,
        {{ event_parameter("engagement_time_msec") }}::numeric::bigint as engagement_milliseconds,
        coalesce(fields.collected_traffic_source ->> 'manual_source', {{ event_parameter("source") }}) as source,
        coalesce(fields.collected_traffic_source ->> 'manual_medium', {{ event_parameter("medium") }}) as medium,
        coalesce(
            fields.collected_traffic_source ->> 'manual_campaign_name', {{ event_parameter("campaign") }}
        ) as campaign,
        fields.traffic_source ->> 'source' as first_source,
        fields.traffic_source ->> 'medium' as first_medium,
        fields.device ->> 'category' as device_category,
        fields.device ->> 'operating_system' as operating_system,
        fields.device -> 'web_info' ->> 'browser' as browser,
        fields.geo ->> 'country' as country,
        fields.geo ->> 'region' as region,
        fields.platform,
        fields.ecommerce ->> 'transaction_id' as transaction_id,
        (fields.ecommerce ->> 'purchase_revenue')::numeric as purchase_revenue,
        coalesce(nullif(fields.event_params, 'null'), '[]') as event_params,
        coalesce(nullif(fields.items, 'null'), '[]') as items,
        versions._sequence,
        versions._source_updated_at,
        versions._extracted_at,
        versions._is_deleted
    from versions
    left join lateral jsonb_to_record(versions.payload) as fields (
        event_date text,
        event_timestamp bigint,
        event_name text,
        user_pseudo_id text,
        user_id text,
        event_params jsonb,
        collected_traffic_source jsonb,
        traffic_source jsonb,
        device jsonb,
        geo jsonb,
        platform text,
        ecommerce jsonb,
        items jsonb
    ) on true
)

-- A session is the property's: two browsers may count to the same number in the same second.
select
    *,
    user_pseudo_id || '/' || ga_session_id as session_key
from events
