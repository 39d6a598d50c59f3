with events as (
    select
        ga4_event_id,
        items
    from {{ ref("stg_ga4__events") }}
    where items != '[]'
)

select
    events.ga4_event_id || '/' || item.line_number as ga4_item_key,
    events.ga4_event_id,
    item.line_number::int as line_number,
    fields.item_id,
    fields.item_name,
    fields.item_category,
    fields.item_brand,
    fields.price,
    fields.quantity,
    fields.item_revenue
from events
cross join lateral jsonb_array_elements(events.items) with ordinality as item (node, line_number)
cross join lateral jsonb_to_record(item.node) as fields (
    item_id text,
    item_name text,
    item_category text,
    item_brand text,
    price numeric,
    quantity bigint,
    item_revenue numeric
)
