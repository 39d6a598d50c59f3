{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="eccube_customer_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("eccube", "customers")) }}
),

-- A withdrawal writes a dummy over the address. The last one known before stays with the person: what they have
-- unsubscribed with must still be found.
addresses_before as (
    select distinct on (versions._record_id)
        versions._record_id,
        known.payload ->> 'email' as email
    from versions
    inner join {{ source("eccube", "customers") }} as known on versions._record_id = known._record_id
    where
        versions.payload ->> 'email' ~* '@dummy\.dummy\s*$'
        and known.payload ->> 'email' !~* '@dummy\.dummy\s*$'
    order by versions._record_id asc, known._source_updated_at desc nulls last, known._sequence desc
)

select
    versions._record_id as eccube_customer_id,
    'eccube:customer:' || versions._record_id as record_key,
    case fields."Status" ->> 'id'
        when '1' then 'provisional'
        when '2' then 'member'
        when '3' then 'withdrawn'
        else 'other'
    end as status,
    case when fields.email ~* '@dummy\.dummy\s*$' then addresses_before.email else fields.email end as email,
    fields.phone_number as phone,
    fields.name01 as family_name,
    fields.name02 as given_name,
    fields.kana01 as family_name_kana,
    fields.kana02 as given_name_kana,
    fields.company_name,
    {{ business_date("fields.birth") }} as birth_on,
    case fields."Sex" ->> 'id'
        when '1' then 'male'
        when '2' then 'female'
        when '3' then 'other'
        when '4' then 'undisclosed'
    end as sex,
    fields.postal_code,
    fields."Pref" ->> 'name' as prefecture,
    fields.addr01 as city,
    fields.addr02 as address,
    round(fields.point, 2) as point_balance,
    round(fields.buy_times, 2) as purchase_count,
    round(fields.buy_total, 2) as purchase_total,
    fields.first_buy_date as first_purchased_at,
    fields.last_buy_date as last_purchased_at,
    fields.create_date as created_at,
    fields.update_date as updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted or coalesce(fields.is_deleted, false) as _is_deleted
from versions
left join addresses_before on versions._record_id = addresses_before._record_id
left join lateral jsonb_to_record(versions.payload) as fields (
    is_deleted boolean,
    name01 text,
    name02 text,
    kana01 text,
    kana02 text,
    company_name text,
    email text,
    phone_number text,
    birth timestamptz,
    postal_code text,
    addr01 text,
    addr02 text,
    point numeric,
    buy_times numeric,
    buy_total numeric,
    first_buy_date timestamptz,
    last_buy_date timestamptz,
    create_date timestamptz,
    update_date timestamptz,
    "Status" jsonb,
    "Sex" jsonb,
    "Pref" jsonb
) on true
