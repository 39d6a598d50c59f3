{#- A normalized name that was typed in kana alone, which says how it is read; null where it has any other letter. -#}
{% macro kana_only(name) -%}
    case when {{ name }} ~ '^[ァ-ヺー]+$' collate "C" then {{ name }} end
{%- endmacro %}
