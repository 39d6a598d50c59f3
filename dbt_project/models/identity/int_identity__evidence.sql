{{ config(materialized="view") }}

{% for source in ["shopify", "line", "eccube", "sendgrid", "klaviyo", "zendesk", "intercom", "files"] %}
    select
        evidence_key,
        evidence_table,
        record_key,
        source,
        brand,
        first_seen_at,
        _sequence,
        {{ evidence_columns() | join(", ") }}
    from {{ ref("int_identity__" ~ source ~ "_evidence") }}
    {{ "union all" if not loop.last }}
{% endfor %}
