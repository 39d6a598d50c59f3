{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_subscription_contract_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "subscription_contracts")) }}
)

select
    versions._record_id as files_subscription_contract_id,
    versions.payload ->> 'system' as source_system,
    {{ files_record_key("subscription_contract") }} as record_key,
    fields.customer_number,
    fields.email,
    fields.phone,
    fields.brand,
    fields.channel,
    fields.store_code,
    fields.store_name,
    fields.contract_number,
    fields.status,
    fields.product_name,
    fields.sku,
    fields.quantity,
    fields.amount_incl_tax,
    fields.interval_text,
    fields.cycle_count,
    fields.started_at,
    fields.next_delivery_on,
    fields.paused_until_on,
    fields.cancelled_at,
    fields.cancel_reason,
    fields.payment_method,
    fields.advertisement_code,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'fields') as fields (
    customer_number text,
    email text,
    phone text,
    brand text,
    channel text,
    store_code text,
    store_name text,
    contract_number text,
    status text,
    product_name text,
    sku text,
    quantity bigint,
    amount_incl_tax numeric,
    interval_text text,
    cycle_count bigint,
    started_at timestamptz,
    next_delivery_on date,
    paused_until_on date,
    cancelled_at timestamptz,
    cancel_reason text,
    payment_method text,
    advertisement_code text
) on true
