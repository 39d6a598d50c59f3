{#- All of these columns (name → type) in their order, so that selections unite; what was not chosen is null. -#}
{% macro chosen_columns(types, chosen) -%}
    {%- for column, type in types.items() -%}
        ({{ column if column in chosen else "null" }})::{{ type }} as {{ column }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
