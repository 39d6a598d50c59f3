with orders as (
    select
        shopify_order_id,
        customer_journey
    from {{ ref("stg_shopify__orders") }}
    where customer_journey is not null
),

visits as (
    select
        orders.*,
        'first' as visit_place,
        nullif(orders.customer_journey -> 'firstVisit', 'null') as visit
    from orders

    union all

    select
        orders.*,
        'last' as visit_place,
        nullif(orders.customer_journey -> 'lastVisit', 'null') as visit
    from orders
),

known_visits as (
    select *
    from visits
    where visit is not null
)

select
    known_visits.shopify_order_id || ':' || known_visits.visit_place as shopify_order_visit_id,
    known_visits.shopify_order_id,
    known_visits.visit_place,
    (known_visits.customer_journey ->> 'customerOrderIndex')::int as customer_order_number,
    (known_visits.customer_journey ->> 'daysToConversion')::int as days_to_conversion,
    fields."occurredAt" as visited_at,
    fields.source as visit_source,
    fields."sourceType" as source_type,
    fields."landingPage" as landing_page,
    fields."referrerUrl" as referrer_url,
    fields."utmParameters" ->> 'source' as utm_source,
    fields."utmParameters" ->> 'medium' as utm_medium,
    fields."utmParameters" ->> 'campaign' as utm_campaign,
    fields."utmParameters" ->> 'content' as utm_content,
    fields."utmParameters" ->> 'term' as utm_term
from known_visits
cross join lateral jsonb_to_record(known_visits.visit) as fields (
    "occurredAt" timestamptz,
    source text,
    "sourceType" text,
    "landingPage" text,
    "referrerUrl" text,
    "utmParameters" jsonb
)
