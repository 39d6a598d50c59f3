with identities as (
    select * from {{ ref("customer_identities") }}
),

accounts as (
    select * from {{ ref("stg_shopify__customers") }}
),

followers as (
    select * from {{ ref("stg_line__followers") }}
),

orders as (
    select
        record_key,
        ordered_at,
        email,
        phone,
        line_user_id,
        row_number() over (partition by record_key order by ordered_at, shopify_order_id) as order_of_record
    from {{ ref("stg_shopify__orders") }}
    where {{ business_date("ordered_at") }} <= {{ as_of() }}
),

first_orders as (
    select *
    from orders
    where order_of_record = 1
),

-- Every person record in one shape. Imported accounts can be younger than their own orders.
records as (
    select
        identities.customer_id,
        identities.record_key,
        least(accounts.created_at, first_orders.ordered_at, followers.first_seen_at) as first_seen_at,
        coalesce(accounts.updated_at, first_orders.ordered_at, followers.first_seen_at) as updated_at,
        coalesce(accounts.email, first_orders.email) as email,
        coalesce(accounts.phone, accounts.address_phone, first_orders.phone) as phone,
        accounts.family_name,
        accounts.given_name,
        accounts.family_name_kana,
        accounts.given_name_kana,
        accounts.birth_on,
        accounts.postal_code,
        accounts.prefecture,
        accounts.city,
        accounts.address,
        followers.record_key is not null as is_line_record,
        case when followers.is_friend then followers.line_user_id end as line_user_id,
        case when followers.is_friend then {{ business_date("followers.first_seen_at") }} end as line_first_seen_on
    from identities
    left join accounts on identities.record_key = accounts.record_key
    left join first_orders on identities.record_key = first_orders.record_key
    left join followers on identities.record_key = followers.record_key
),

-- LINE tells no past: who follows now is known for any day, everyone else from the first day on.
known_records as (
    select * from records
    where {{ business_date("first_seen_at") }} <= {{ as_of() }} or is_line_record
),

line_links as (
    select
        identities.customer_id,
        min(orders.ordered_at) as line_linked_at
    from orders
    inner join identities on orders.record_key = identities.record_key
    where orders.line_user_id is not null
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
        count(*)::int as record_count
    from known_records
    group by customer_id
)

select
    golden.customer_id,
    golden.first_seen_at,
    least({{ business_date("golden.first_seen_at") }}, {{ as_of() }}) as first_seen_on,
    golden.record_count,
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
left join line_links on golden.customer_id = line_links.customer_id
