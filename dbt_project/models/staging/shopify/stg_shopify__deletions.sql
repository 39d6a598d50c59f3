{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="shopify_event_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("shopify", "webhooks")) }}
),

events as (
    select
        versions.*,
        fields.topic,
        coalesce(fields.triggered_at, fields.received_at) as occurred_at,
        fields.body
    from versions
    left join lateral jsonb_to_record(versions.payload) as fields (
        topic text,
        triggered_at timestamptz,
        received_at timestamptz,
        body jsonb
    ) on true
)

select
    events._record_id as shopify_event_id,
    case split_part(events.topic, '/', 1)
        when 'customers' then 'customer'
        when 'orders' then 'order'
        when 'products' then 'product'
    end as record_kind,
    case events.topic
        when 'customers/merge' then events.body ->> 'admin_graphql_api_customer_deleted_id'
        when 'customers/redact' then 'gid://shopify/Customer/' || (events.body -> 'customer' ->> 'id')
        when 'customers/delete' then 'gid://shopify/Customer/' || (events.body ->> 'id')
        when 'orders/delete' then 'gid://shopify/Order/' || (events.body ->> 'id')
        when 'products/delete' then 'gid://shopify/Product/' || (events.body ->> 'id')
    end as shopify_record_id,
    case split_part(events.topic, '/', 2)
        when 'delete' then 'deleted'
        when 'merge' then 'merged'
        when 'redact' then 'redacted'
    end as reason,
    case
        when events.topic = 'customers/merge' then events.body ->> 'admin_graphql_api_customer_kept_id'
    end as kept_shopify_record_id,
    events.occurred_at,
    events._sequence,
    events._source_updated_at,
    events._extracted_at,
    events._is_deleted
from events
where
    events.topic in ('customers/delete', 'customers/redact', 'orders/delete', 'products/delete')
    or (events.topic = 'customers/merge' and events.body ->> 'status' = 'success')
