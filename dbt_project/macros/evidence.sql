{#-
    The rows of one staging model as evidence of persons: one shape for all sources, null where a source says nothing.
    `says` maps evidence columns to expressions over the staging model; `name` is what the rows are called in evidence
    keys. Nothing but columns and constants: a condition on the result reaches the staging model's indexes.
-#}
{% macro evidence(source, name, model, key, first_seen_at, says, record_key="record_key", brand=none, where=none) -%}
    {%- set given, said = dict(says), [] -%}
    {%- for column in evidence_columns() -%}
        {%- do said.append("(" ~ given.pop(column, "null") ~ ")::text as " ~ column) -%}
    {%- endfor -%}
    {%- if given -%}
        {{ exceptions.raise_compiler_error("evidence says " ~ given | join(", ") ~ ": see evidence_columns()") }}
    {%- endif -%}
    select
        '{{ source }}:{{ name }}:' || {{ key }} as evidence_key,
        '{{ model }}' as evidence_table,
        {{ record_key }} as record_key,
        '{{ source }}' as source,
        coalesce({{ brand or "null" }}, {{ brand_of(source) }}) as brand,
        {{ first_seen_at }} as first_seen_at,
        _sequence,
        {{ said | join(", ") }}
    from {{ ref(model) }}
    where {{ where or "true" }}
{%- endmacro %}
