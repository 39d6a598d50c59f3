{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="nonce",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("line", "account_link_nonces")) }}
)

select
    versions._record_id as nonce,
    nullif(trim(fields."customerId"), '') as shop_customer_id,
    fields."issuedAt" as issued_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    "customerId" text,
    "issuedAt" timestamptz
) on true
