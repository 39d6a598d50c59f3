{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="files_survey_response_id",
    on_schema_change="fail",
    post_hook=remove_deleted(),
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("files", "survey_responses")) }}
)

select
    versions._record_id as files_survey_response_id,
    versions.payload ->> 'system' as source_system,
    {{ files_record_key("survey_response") }} as record_key,
    fields.customer_number,
    fields.email,
    fields.phone,
    fields.brand,
    fields.channel,
    fields.store_code,
    fields.store_name,
    fields.response_number,
    fields.survey_name,
    fields.question,
    fields.score,
    fields.comment,
    fields.order_number,
    fields.responded_at,
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
    response_number text,
    survey_name text,
    question text,
    score bigint,
    comment text,
    order_number text,
    responded_at timestamptz
) on true
