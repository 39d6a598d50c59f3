{#- The value of the most recently updated record that has one; ties go to the smallest record key. -#}
{% macro latest_known(column) -%}
    (array_agg({{ column }} order by updated_at desc, record_key collate "C") filter (where {{ column }} is not null))[1]
{%- endmacro %}
