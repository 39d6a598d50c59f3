{#-
    The value of the record that knows best and has one: a shop's account before an order before a tool, among these the
    most recently updated; ties go to the smallest record key.
-#}
{% macro latest_known(column) -%}
    (
        array_agg({{ column }} order by priority asc, updated_at desc, record_key collate "C")
        filter (where {{ column }} is not null)
    )[1]
{%- endmacro %}
