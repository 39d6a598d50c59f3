{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_delivery_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "deliveries")) }}
)

select
    versions._record_id as files_delivery_id,
    versions.payload ->> 'system' as source_system,
    'files:customer:' || (versions.payload ->> 'system') || '/' || fields.customer_number as record_key,
    fields.customer_number,
    fields.email,
    fields.phone,
    fields.brand,
    fields.channel,
    fields.store_code,
    fields.store_name,
    fields.delivery_number,
    fields.campaign_code,
    fields.campaign_name,
    fields.medium,
    fields.order_number,
    fields.full_name,
    fields.postal_code,
    fields.prefecture,
    fields.city,
    fields.address,
    fields.cost,
    fields.status,
    fields.sent_on,
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
    delivery_number text,
    campaign_code text,
    campaign_name text,
    medium text,
    order_number text,
    full_name text,
    postal_code text,
    prefecture text,
    city text,
    address text,
    cost numeric,
    status text,
    sent_on date
) on true
