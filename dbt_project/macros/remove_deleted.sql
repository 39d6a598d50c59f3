{#- Deleted records reach the table so that they replace what was kept of them; in the same transaction they go. -#}
{% macro remove_deleted() -%}
    delete from {{ this }} as records where records._is_deleted
{%- endmacro %}
