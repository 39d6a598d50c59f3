{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="shopify_customer_id",
    on_schema_change="fail",
    post_hook=[remove_deleted(), "{{ remove_told_gone('customer', 'shopify_customer_id') }}"],
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("shopify", "customers")) }}
)

select
    versions._record_id as shopify_customer_id,
    'shopify:customer:' || versions._record_id as record_key,
    fields."defaultEmailAddress" ->> 'emailAddress' as email,
    fields."defaultEmailAddress" ->> 'marketingState' as email_marketing_state,
    fields."defaultPhoneNumber" ->> 'phoneNumber' as phone,
    address.phone as address_phone,
    coalesce(fields."lastName", address."lastName") as family_name,
    coalesce(fields."firstName", address."firstName") as given_name,
    fields."familyNameKana" ->> 'value' as family_name_kana,
    fields."givenNameKana" ->> 'value' as given_name_kana,
    {{ parse_date("fields.\"birthDate\" ->> 'value'") }} as birth_on,
    address.zip as postal_code,
    address.province as prefecture,
    address.city,
    concat_ws(' ', address.address1, address.address2) as address,
    fields.locale,
    fields.state,
    coalesce(nullif(fields.tags, 'null'), '[]') as tags,
    fields."createdAt" as created_at,
    fields."updatedAt" as updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    "createdAt" timestamptz,
    "updatedAt" timestamptz,
    "firstName" text,
    "lastName" text,
    locale text,
    state text,
    tags jsonb,
    "defaultEmailAddress" jsonb,
    "defaultPhoneNumber" jsonb,
    "defaultAddress" jsonb,
    "familyNameKana" jsonb,
    "givenNameKana" jsonb,
    "birthDate" jsonb
) on true
left join lateral jsonb_to_record(nullif(fields."defaultAddress", 'null')) as address (
    "firstName" text,
    "lastName" text,
    zip text,
    province text,
    city text,
    address1 text,
    address2 text,
    phone text
) on true
