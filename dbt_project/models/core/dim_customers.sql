with identities as (
    select * from {{ ref("customer_identities") }}
),

orders as (
    select
        *,
        row_number() over (partition by record_key order by ordered_at, shopify_order_id) as order_of_record
    from {{ ref("stg_shopify__orders") }}
    where {{ business_date("ordered_at") }} <= {{ as_of() }}
),

first_orders as (
    select * from orders where order_of_record = 1
),

shop_accounts as (
    select
        customers.*,
        -- Imported accounts can be younger than their own orders.
        least(customers.created_at, first_orders.ordered_at) as first_seen_at
    from {{ ref("stg_shopify__customers") }} as customers
    left join first_orders on customers.record_key = first_orders.record_key
),

-- One row per person record, in one shape; orders speak for those who have no account (any more).
records as (
    select
        record_key, first_seen_at, updated_at, email, coalesce(phone, address_phone) as phone, family_name, given_name,
        family_name_kana, given_name_kana, birth_on, postal_code, prefecture, city, address, null as line_user_id, null::date as line_first_seen_on
    from shop_accounts
    union all
    select
        first_orders.record_key, first_orders.ordered_at, first_orders.ordered_at, first_orders.email,
        first_orders.phone, null, null, null, null, null, null, null, null, null, null, null
    from first_orders
    left join shop_accounts on first_orders.record_key = shop_accounts.record_key
    where shop_accounts.record_key is null
    union all
    select
        record_key, first_seen_at, first_seen_at, null, null, null, null, null, null, null, null, null, null, null,
        line_user_id, {{ business_date("first_seen_at") }}
    from {{ ref("stg_line__followers") }}
),

known_records as (
    select
        identities.customer_id,
        records.*
    from records
    inner join identities on records.record_key = identities.record_key
    where {{ business_date("records.first_seen_at") }} <= {{ as_of() }}
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
        count(*) as record_count,
        {% for attribute in [
            "email", "phone", "family_name", "given_name", "family_name_kana", "given_name_kana", "birth_on", "postal_code",
            "prefecture", "city", "address", "line_user_id", "line_first_seen_on",
        ] -%}
            {{ latest_known(attribute) }} as {{ attribute }}{{ "," if not loop.last }}
        {% endfor %}
    from known_records
    group by customer_id
)

select
    golden.customer_id,
    golden.first_seen_at,
    {{ business_date("golden.first_seen_at") }} as first_seen_on,
    golden.record_count::int as record_count,
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
