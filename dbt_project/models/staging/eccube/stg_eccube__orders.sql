{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="eccube_order_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("eccube", "orders")) }}
)

select
    versions._record_id as eccube_order_id,
    fields.order_no as order_number,
    fields."Customer" ->> 'id' as eccube_customer_id,
    case
        when fields."Customer" ->> 'id' is null then 'eccube:guest:' || versions._record_id
        else 'eccube:customer:' || (fields."Customer" ->> 'id')
    end as record_key,
    case fields."OrderStatus" ->> 'id'
        when '1' then 'new'
        when '3' then 'cancelled'
        when '4' then 'in_progress'
        when '5' then 'shipped'
        when '6' then 'paid'
        when '7' then 'payment_pending'
        when '8' then 'checkout'
        when '9' then 'returned'
        else 'other'
    end as status,
    fields."OrderStatus" ->> 'name' as status_name,
    coalesce(fields."OrderStatus" ->> 'id' not in ('7', '8'), false) as is_placed,
    fields.email,
    fields.phone_number as phone,
    fields.name01 as family_name,
    fields.name02 as given_name,
    fields.kana01 as family_name_kana,
    fields.kana02 as given_name_kana,
    fields.postal_code,
    fields."Pref" ->> 'name' as prefecture,
    fields.addr01 as city,
    fields.addr02 as address,
    fields.order_date as ordered_at,
    fields.payment_date as paid_at,
    departures.shipped_at,
    fields.create_date as created_at,
    fields.update_date as updated_at,
    fields.payment_method,
    fields."DeviceType" ->> 'name' as device,
    fields.currency_code as currency,
    coalesce(round(fields.payment_total, 2), 0) as total_incl_tax,
    round(fields.subtotal, 2) as subtotal_incl_tax,
    round(fields.discount, 2) as discount_amount,
    round(fields.delivery_fee_total, 2) as delivery_amount,
    round(fields.charge, 2) as charge_amount,
    round(fields.tax, 2) as tax_amount,
    round(fields.use_point, 2) as points_used,
    round(fields.add_point, 2) as points_earned,
    coalesce(nullif(fields."OrderItems", 'null'), '[]') as order_items,
    coalesce(nullif(fields."Shippings", 'null'), '[]') as shippings,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted or coalesce(fields.is_deleted, false) as _is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    is_deleted boolean,
    order_no text,
    name01 text,
    name02 text,
    kana01 text,
    kana02 text,
    email text,
    phone_number text,
    postal_code text,
    addr01 text,
    addr02 text,
    order_date timestamptz,
    payment_date timestamptz,
    create_date timestamptz,
    update_date timestamptz,
    payment_method text,
    currency_code text,
    payment_total numeric,
    subtotal numeric,
    discount numeric,
    delivery_fee_total numeric,
    charge numeric,
    tax numeric,
    use_point numeric,
    add_point numeric,
    "Customer" jsonb,
    "OrderStatus" jsonb,
    "DeviceType" jsonb,
    "Pref" jsonb,
    "OrderItems" jsonb,
    "Shippings" jsonb
) on true
-- An order has left when its last parcel has: with one still here there is no such time.
left join lateral (
    select case when bool_and(parcel.shipping_date is not null) then max(parcel.shipping_date) end as shipped_at
    from jsonb_to_recordset(coalesce(nullif(fields."Shippings", 'null'), '[]')) as parcel (shipping_date timestamptz)
) as departures on true
