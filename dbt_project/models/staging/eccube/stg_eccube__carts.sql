{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="eccube_cart_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("eccube", "carts")) }}
)

select
    versions._record_id as eccube_cart_id,
    fields."Customer" ->> 'id' as eccube_customer_id,
    round(fields.total_price, 2) as total_incl_tax,
    contents.item_count,
    coalesce(nullif(fields."CartItems", 'null'), '[]') as cart_items,
    fields.create_date as created_at,
    fields.update_date as updated_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    total_price numeric,
    create_date timestamptz,
    update_date timestamptz,
    "Customer" jsonb,
    "CartItems" jsonb
) on true
left join lateral (
    select coalesce(sum(item.quantity), 0) as item_count
    from jsonb_to_recordset(coalesce(nullif(fields."CartItems", 'null'), '[]')) as item (quantity numeric)
) as contents on true
