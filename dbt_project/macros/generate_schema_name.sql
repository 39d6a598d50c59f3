{#- A model's schema is its layer; marts are built beside the published ones until they have passed their gate. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif custom_schema_name == "marts" and target.name == "transform" -%}
        marts_candidate
    {%- else -%}
        {{ custom_schema_name }}
    {%- endif -%}
{%- endmacro %}
