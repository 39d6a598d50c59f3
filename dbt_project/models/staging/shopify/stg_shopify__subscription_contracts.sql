{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="shopify_subscription_contract_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("shopify", "subscription_contracts")) }}
)

select
    versions._record_id as shopify_subscription_contract_id,
    fields.customer ->> 'id' as shopify_customer_id,
    'shopify:customer:' || (fields.customer ->> 'id') as record_key,
    fields."originOrder" ->> 'id' as origin_shopify_order_id,
    fields.status as contract_status,
    fields.status = 'ACTIVE' as is_active,
    fields."nextBillingDate" as next_billing_at,
    fields."lastPaymentStatus" as last_payment_status,
    fields."billingPolicy" ->> 'interval' as billing_interval,
    (fields."billingPolicy" ->> 'intervalCount')::int as billing_interval_count,
    (fields."billingPolicy" ->> 'minCycles')::int as minimum_cycles,
    (fields."billingPolicy" ->> 'maxCycles')::int as maximum_cycles,
    fields."deliveryPolicy" ->> 'interval' as delivery_interval,
    (fields."deliveryPolicy" ->> 'intervalCount')::int as delivery_interval_count,
    fields."currencyCode" as currency,
    (fields."deliveryPrice" ->> 'amount')::numeric as delivery_price,
    fields."createdAt" as created_at,
    fields."updatedAt" as updated_at,
    coalesce(nullif(fields.lines -> 'nodes', 'null'), '[]') as contract_lines,
    coalesce(nullif(fields."billingAttempts" -> 'nodes', 'null'), '[]') as billing_attempts,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    customer jsonb,
    "originOrder" jsonb,
    status text,
    "nextBillingDate" timestamptz,
    "lastPaymentStatus" text,
    "billingPolicy" jsonb,
    "deliveryPolicy" jsonb,
    "currencyCode" text,
    "deliveryPrice" jsonb,
    "createdAt" timestamptz,
    "updatedAt" timestamptz,
    lines jsonb,
    "billingAttempts" jsonb
) on true
