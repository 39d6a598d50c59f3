{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_review_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "reviews")) }}
)

select
    versions._record_id as files_review_id,
    versions.payload ->> 'system' as source_system,
    {{ files_record_key("review") }} as record_key,
    fields.customer_number,
    fields.email,
    fields.phone,
    fields.brand,
    fields.channel,
    fields.store_code,
    fields.store_name,
    fields.review_number,
    fields.order_number,
    fields.sku,
    fields.product_name,
    fields.rating,
    fields.title,
    fields.body,
    fields.nickname,
    fields.is_published,
    fields.reviewed_at,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload -> 'fields') as fields (
    customer_number text,
    email text,
    phone text,
    brand text,
    channel text,
    store_code text,
    store_name text,
    review_number text,
    order_number text,
    sku text,
    product_name text,
    rating bigint,
    title text,
    body text,
    nickname text,
    is_published boolean,
    reviewed_at timestamptz
) on true
