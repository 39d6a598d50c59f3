{#- The business date a run is for, as a SQL date. There is no default: a figure without its day is no figure. -#}
{% macro as_of() -%}
    {%- set day = var("as_of", none) -%}
    {%- if day is none and execute -%}
        {{ exceptions.raise_compiler_error("var as_of is missing: expected --vars '{as_of: <YYYY-MM-DD>}'") }}
    {%- endif -%}
    date '{{ day if day is string else "1970-01-01" }}'
{%- endmacro %}
