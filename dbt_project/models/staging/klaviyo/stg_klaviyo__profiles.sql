{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="klaviyo_profile_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("klaviyo", "profiles")) }}
)

select
    versions._record_id as klaviyo_profile_id,
    attributes.email,
    attributes.phone_number as phone,
    attributes.external_id,
    attributes.last_name as family_name,
    attributes.first_name as given_name,
    attributes.locale,
    attributes.location ->> 'zip' as postal_code,
    attributes.location ->> 'region' as prefecture,
    attributes.location ->> 'city' as city,
    nullif(concat_ws(' ', attributes.location ->> 'address1', attributes.location ->> 'address2'), '') as address,
    coalesce(nullif(attributes.properties, 'null'), '{}') as properties,
    marketing.consent as email_consent,
    marketing.consent_timestamp as email_consent_at,
    marketing.method as email_consent_method,
    marketing.double_optin as is_double_opt_in,
    coalesce(marketing.can_receive_email_marketing, false) as can_receive_email,
    suppression.reason as email_suppression_reason,
    suppression.suppressed_at as email_suppressed_at,
    attributes.subscriptions #>> '{sms,marketing,consent}' as sms_consent,
    attributes.created as created_at,
    attributes.updated as updated_at,
    attributes.last_event_date as last_event_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'attributes') as attributes (
    email text,
    phone_number text,
    external_id text,
    last_name text,
    first_name text,
    locale text,
    location jsonb,
    properties jsonb,
    subscriptions jsonb,
    created timestamptz,
    updated timestamptz,
    last_event_date timestamptz
) on true
left join lateral jsonb_to_record(nullif(attributes.subscriptions #> '{email,marketing}', 'null')) as marketing (
    consent text,
    consent_timestamp timestamptz,
    method text,
    double_optin boolean,
    can_receive_email_marketing boolean,
    suppression jsonb
) on true
left join lateral (
    select
        reasons.reason,
        reasons.timestamp as suppressed_at
    from jsonb_to_recordset(nullif(marketing.suppression, 'null')) as reasons (reason text, "timestamp" timestamptz)
    order by reasons.timestamp desc, reasons.reason asc
    limit 1
) as suppression on true
