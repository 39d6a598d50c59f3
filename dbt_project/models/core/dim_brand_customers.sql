-- Written in place: the views of the brands' users stand on this very table, and see the old rows or the new ones.
{{ config(
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="append_new_columns",
    pre_hook="{% if is_incremental() %} delete from {{ this }} {% endif %}",
) }}

with records as (
    select * from {{ ref("dim_records") }}
    where brand is not null
),

households as (
    select
        customer_id,
        household_id
    from {{ ref("dim_customers") }}
),

golden as (
    select
        brand,
        customer_id,
        min(first_seen_at) as first_seen_at,
        {% for attribute in ["email", "phone", "family_name", "given_name", "family_name_kana", "given_name_kana"] %}
            {{ latest_known(attribute) }} as {{ attribute }},
        {% endfor %}
        jsonb_agg(distinct source) as sources,
        count(*)::int as record_count
    from records
    group by brand, customer_id
)

select
    golden.brand,
    golden.customer_id,
    -- Told only where the brand knows two of the household: one alone would tell that another brand knows the other.
    case
        when count(*) over (partition by golden.brand, households.household_id) > 1 then households.household_id
    end as household_id,
    golden.first_seen_at,
    golden.sources,
    golden.record_count,
    golden.email,
    golden.phone,
    golden.family_name,
    golden.given_name,
    golden.family_name_kana,
    golden.given_name_kana
from golden
inner join households on golden.customer_id = households.customer_id
