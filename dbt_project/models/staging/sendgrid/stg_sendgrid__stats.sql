{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="day",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("sendgrid", "stats")) }}
)

select
    versions._record_id::date as day,
    coalesce(metrics.requests, 0) as requests,
    coalesce(metrics.processed, 0) as processed,
    coalesce(metrics.delivered, 0) as delivered,
    coalesce(metrics.deferred, 0) as deferred,
    coalesce(metrics.bounces, 0) as bounces,
    coalesce(metrics.blocks, 0) as blocks,
    coalesce(metrics.invalid_emails, 0) as invalid_emails,
    coalesce(metrics.bounce_drops, 0) as bounce_drops,
    coalesce(metrics.spam_report_drops, 0) as spam_report_drops,
    coalesce(metrics.unsubscribe_drops, 0) as unsubscribe_drops,
    coalesce(metrics.opens, 0) as opens,
    coalesce(metrics.unique_opens, 0) as unique_opens,
    coalesce(metrics.clicks, 0) as clicks,
    coalesce(metrics.unique_clicks, 0) as unique_clicks,
    coalesce(metrics.spam_reports, 0) as spam_reports,
    coalesce(metrics.unsubscribes, 0) as unsubscribes,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload #> '{stats,0,metrics}') as metrics (
    requests bigint,
    processed bigint,
    delivered bigint,
    deferred bigint,
    bounces bigint,
    blocks bigint,
    invalid_emails bigint,
    bounce_drops bigint,
    spam_report_drops bigint,
    unsubscribe_drops bigint,
    opens bigint,
    unique_opens bigint,
    clicks bigint,
    unique_clicks bigint,
    spam_reports bigint,
    unsubscribes bigint
) on true
