{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_pos_sale_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "pos_sales")) }}
)

select
    versions._record_id as files_pos_sale_id,
    versions.payload ->> 'system' as source_system,
    {{ files_record_key("pos_sale") }} as record_key,
    fields.customer_number,
    fields.email,
    fields.phone,
    fields.brand,
    fields.channel,
    fields.store_code,
    fields.store_name,
    fields.receipt_number,
    fields.line_number,
    fields.card_number,
    fields.sold_at,
    fields.staff_code,
    fields.sku,
    fields.title,
    fields.quantity,
    fields.total_incl_tax,
    fields.points_earned,
    fields.payment_method,
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
    receipt_number text,
    line_number bigint,
    card_number text,
    sold_at timestamptz,
    staff_code text,
    sku text,
    title text,
    quantity bigint,
    total_incl_tax numeric,
    points_earned bigint,
    payment_method text
) on true
