{#- A list of texts as SQL literals, quotes inside them doubled. -#}
{% macro quoted(texts) -%}
    {%- for text in texts -%}
        '{{ text | replace("'", "''") }}'{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
