{% set person = {
    "email": "text",
    "phone": "text",
    "family_name": "text",
    "given_name": "text",
    "family_name_kana": "text",
    "given_name_kana": "text",
    "birth_on": "date",
    "postal_code": "text",
    "prefecture": "text",
    "city": "text",
    "address": "text",
    "line_user_id": "text",
    "line_first_seen_on": "date",
} %}
{% set contact, name = ["email", "phone"], ["family_name", "given_name"] %}
{% set kana = ["family_name_kana", "given_name_kana"] %}
{% set home = ["postal_code", "prefecture", "city", "address"] %}
{% set account = contact + name + kana + ["birth_on"] + home %}

with shopify_accounts as (
    select
        {{ (["record_key", "created_at", "updated_at"] + account) | reject("equalto", "phone") | join(", ") }},
        coalesce(phone, address_phone) as phone
    from {{ ref("stg_shopify__customers") }}
),

shopify_orders as (
    select distinct on (record_key) *
    from {{ ref("stg_shopify__orders") }}
    where {{ business_date("ordered_at") }} <= {{ as_of() }}
    order by record_key, ordered_at, shopify_order_id
),

eccube_orders as (
    select distinct on (record_key)
        *,
        coalesce(ordered_at, created_at) as placed_at
    from {{ ref("stg_eccube__orders") }}
    where {{ business_date("coalesce(ordered_at, created_at)") }} <= {{ as_of() }}
    order by record_key, coalesce(ordered_at, created_at), eccube_order_id
),

followers as (
    select
        record_key,
        first_seen_at,
        case when is_friend then line_user_id end as line_user_id,
        case when is_friend then {{ business_date("first_seen_at") }} end as line_first_seen_on
    from {{ ref("stg_line__followers") }}
),

-- Who knows best: 1 an account of a shop, 2 an order, 3 a tool for mail, messages or support.
said as (
    {% for relation, priority, record_key, first_seen_at, updated_at, columns in [
        ("shopify_accounts", 1, "record_key", "created_at", "updated_at", account),
        (ref("stg_eccube__customers"), 1, "record_key", "created_at", "updated_at", account),
        (ref("stg_files__customers"), 1, "record_key", "coalesce(registered_at, _extracted_at)", "_source_updated_at", account),
        ("shopify_orders", 2, "record_key", "ordered_at", "ordered_at", contact),
        ("eccube_orders", 2, "record_key", "placed_at", "placed_at", contact + name + kana + home),
        (ref("stg_files__orders"), 2, "record_key", "coalesce(ordered_at, _extracted_at)", "ordered_at", contact),
        (ref("stg_files__subscription_contracts"), 2, "record_key", "coalesce(started_at, _extracted_at)", "started_at", contact),
        (ref("stg_files__pos_sales"), 2, "record_key", "coalesce(sold_at, _extracted_at)", "sold_at", contact),
        (ref("stg_files__store_visits"), 2, "record_key", "coalesce(visited_at, _extracted_at)", "visited_at", contact),
        (ref("stg_files__reviews"), 3, "record_key", "coalesce(reviewed_at, _extracted_at)", "reviewed_at", contact),
        (ref("stg_files__survey_responses"), 3, "record_key", "coalesce(responded_at, _extracted_at)", "responded_at", contact),
        (ref("stg_klaviyo__profiles"), 3, "'klaviyo:profile:' || klaviyo_profile_id", "created_at", "updated_at",
            contact + name + home),
        (ref("stg_sendgrid__contacts"), 3, "'sendgrid:contact:' || sendgrid_contact_id", "created_at", "updated_at",
            contact + name),
        (ref("stg_zendesk__users"), 3, "record_key", "created_at", "updated_at", contact),
        (ref("stg_intercom__contacts"), 3, "record_key", "created_at", "updated_at", contact),
        ("followers", 3, "record_key", "first_seen_at", "first_seen_at", ["line_user_id", "line_first_seen_on"]),
    ] %}
        select
            ({{ record_key }})::text as record_key,
            {{ priority }} as priority,
            ({{ first_seen_at }})::timestamptz as first_seen_at,
            coalesce({{ updated_at }}, {{ first_seen_at }}) as updated_at,
            {{ chosen_columns(person, columns) }}
        from {{ relation }}
        {{ "union all" if not loop.last }}
    {% endfor %}
),

-- Imported accounts can be younger than their own orders.
records as (
    select
        record_key,
        min(first_seen_at) as first_seen_at,
        {% for column in ["updated_at"] + person.keys() | list %}
            {{ latest_known(column) }} as {{ column }},
        {% endfor %}
        min(priority)::int as priority
    from said
    group by record_key
)

select
    records.record_key,
    records.priority,
    records.first_seen_at,
    records.updated_at,
    {{ person.keys() | join(", ") }},
    identities.customer_id,
    identities.source,
    identities.brand
from records
inner join {{ ref("customer_identities") }} as identities on records.record_key = identities.record_key
-- LINE tells no past: who follows now is known for any day, everyone else from the first day on.
where {{ business_date("records.first_seen_at") }} <= {{ as_of() }} or identities.source = 'line'
