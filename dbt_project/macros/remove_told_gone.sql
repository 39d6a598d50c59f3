{#-
    Shopify's queries never show that a record is gone, its webhooks do. What was known of it up to then leaves the table;
    a later version (a redacted customer without a name) comes back by itself.
-#}
{% macro remove_told_gone(record_kind, key) -%}
    delete from {{ this }} as records
    using {{ ref("stg_shopify__deletions") }} as deletions
    where
        deletions.record_kind = '{{ record_kind }}'
        and deletions.shopify_record_id = records.{{ key }}
        and coalesce(records._source_updated_at, deletions.occurred_at) <= deletions.occurred_at
{%- endmacro %}
