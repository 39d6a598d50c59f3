with customers as (
    select * from {{ ref("stg_shopify__customers") }}
),

orders as (
    select
        record_key,
        ordered_at,
        email,
        phone,
        line_user_id
    from {{ ref("stg_shopify__orders") }}
),

followers as (
    select * from {{ ref("stg_line__followers") }}
),

-- Guests, and customers Shopify no longer returns (merged or deleted): their orders still are somebody's.
orders_of_others as (
    select orders.*
    from orders
    left join customers on orders.record_key = customers.record_key
    where customers.record_key is null
),

records as (
    select
        record_key,
        'shopify' as source,
        created_at as first_seen_at,
        {{ normalize_name("concat(family_name, given_name)") }} as name_key
    from customers
    union all
    select
        record_key,
        'shopify' as source,
        min(ordered_at) as first_seen_at,
        null as name_key
    from orders_of_others
    group by record_key
    union all
    select
        record_key,
        'line' as source,
        first_seen_at,
        null as name_key
    from followers
),

-- Materialized: each value is normalized once, not again for every condition on it.
contact_points as materialized (
    {% for kind, relation, contact in [
        ("email", "customers", normalize_email("email")),
        ("email", "orders_of_others", normalize_email("email")),
        ("phone", "customers", normalize_phone("phone")),
        ("phone", "customers", normalize_phone("address_phone")),
        ("phone", "orders_of_others", normalize_phone("phone")),
        ("line", "orders", "line_user_id"),
        ("line", "followers", "line_user_id"),
    ] %}
        select
            record_key,
            '{{ kind }}' as kind,
            {{ contact }} as contact
        from {{ relation }}
        {{ "union" if not loop.last }}
    {% endfor %}
),

usable_contact_points as (
    select
        contact_points.record_key,
        contact_points.kind,
        contact_points.contact,
        records.name_key
    from contact_points
    inner join records on contact_points.record_key = records.record_key
    where
        contact_points.contact is not null
        and not {{ is_placeholder("contact_points.kind", "contact_points.contact") }}
),

-- A phone that goes by several names is a household's or a shop's: it links only records of one name.
shared_phones as (
    select contact as phone
    from usable_contact_points
    where kind = 'phone'
    group by contact
    having count(distinct name_key) > 1
),

identifiers as (
    select
        points.record_key,
        points.kind,
        points.contact || case when shared_phones.phone is null then '' else '|' || points.name_key end as value
    from usable_contact_points as points
    left join shared_phones on points.kind = 'phone' and points.contact = shared_phones.phone
),

linking as (
    select * from identifiers
    where value is not null
)

select
    records.record_key,
    records.source,
    coalesce(linking.kind, 'record') as kind,
    encode(
        sha256(
            convert_to(coalesce(linking.kind || ':' || linking.value, 'record:' || records.record_key), 'UTF8')
        ),
        'hex'
    ) as value_hash,
    records.first_seen_at
from records
left join linking on records.record_key = linking.record_key
