{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_subscription_cycle_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "subscription_cycles")) }}
)

select
    versions._record_id as files_subscription_cycle_id,
    versions.payload ->> 'system' as source_system,
    'files:customer:' || (versions.payload ->> 'system') || '/' || fields.customer_number as record_key,
    fields.contract_number,
    fields.cycle_number,
    fields.customer_number,
    fields.order_number,
    fields.status,
    fields.is_skipped,
    fields.scheduled_on,
    fields.shipped_on,
    fields.amount_incl_tax,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'fields') as fields (
    contract_number text,
    cycle_number bigint,
    customer_number text,
    order_number text,
    status text,
    is_skipped boolean,
    scheduled_on date,
    shipped_on date,
    amount_incl_tax numeric
) on true
