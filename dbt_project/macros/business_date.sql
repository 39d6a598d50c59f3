{#- The calendar date of a moment in the brand's own time zone. -#}
{% macro business_date(moment) -%}
    ({{ moment }} at time zone '{{ strategy("business_timezone") }}')::date
{%- endmacro %}
