{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_sales_note_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "sales_notes")) }}
)

select
    versions._record_id as files_sales_note_id,
    versions.payload ->> 'system' as source_system,
    'files:customer:' || (versions.payload ->> 'system') || '/' || fields.customer_number as record_key,
    fields.customer_number,
    fields.email,
    fields.phone,
    fields.brand,
    fields.channel,
    fields.store_code,
    fields.store_name,
    fields.note_number,
    fields.company_name,
    fields.staff_name,
    fields.subject,
    fields.body,
    fields.stage,
    fields.amount,
    fields.met_at,
    fields.next_action_on,
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
    note_number text,
    company_name text,
    staff_name text,
    subject text,
    body text,
    stage text,
    amount numeric,
    met_at timestamptz,
    next_action_on date
) on true
