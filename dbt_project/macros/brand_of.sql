{#- The brand that a source's records are of, as SQL text: identity.yml says, and the default brand has all others. -#}
{% macro brand_of(source) -%}
    {%- set passed = var("brands", {}) -%}
    {%- set brands = passed if passed is mapping else {} -%}
    {{ quoted([brands.get(source, brands.get("default_brand", "main"))]) }}
{%- endmacro %}
