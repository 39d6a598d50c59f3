with records as (
    select * from {{ ref("dim_records") }}
),

households as (
    select distinct
        customer_id,
        household_id
    from {{ ref("customer_identities") }}
),

line_links as (
    select
        identities.customer_id,
        min(orders.ordered_at) as line_linked_at
    from {{ ref("stg_shopify__orders") }} as orders
    inner join {{ ref("customer_identities") }} as identities on orders.record_key = identities.record_key
    where orders.line_user_id is not null and {{ business_date("orders.ordered_at") }} <= {{ as_of() }}
    group by identities.customer_id
),

golden as (
    select
        customer_id,
        min(first_seen_at) as first_seen_at,
        {% for attribute in [
            "email", "phone", "family_name", "given_name", "family_name_kana", "given_name_kana", "birth_on",
            "postal_code", "prefecture", "city", "address", "line_user_id", "line_first_seen_on",
        ] %}
            {{ latest_known(attribute) }} as {{ attribute }},
        {% endfor %}
        jsonb_agg(distinct source) as sources,
        jsonb_agg(distinct brand) filter (where brand is not null) as brands,
        count(*)::int as record_count
    from records
    group by customer_id
)

select
    golden.customer_id,
    households.household_id,
    golden.first_seen_at,
    least({{ business_date("golden.first_seen_at") }}, {{ as_of() }}) as first_seen_on,
    golden.record_count,
    golden.sources,
    golden.brands,
    golden.email,
    golden.phone,
    golden.family_name,
    golden.given_name,
    golden.family_name_kana,
    golden.given_name_kana,
    golden.birth_on,
    golden.postal_code,
    golden.prefecture,
    golden.city,
    golden.address,
    golden.line_user_id,
    golden.line_user_id is not null as is_line_friend,
    line_links.line_linked_at is not null as is_line_linked,
    golden.line_first_seen_on,
    line_links.line_linked_at
from golden
inner join households on golden.customer_id = households.customer_id
left join line_links on golden.customer_id = line_links.customer_id
