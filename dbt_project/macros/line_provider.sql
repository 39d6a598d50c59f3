{#- The LINE provider whose user ids we see, as SQL text: an id means nothing under another provider. -#}
{% macro line_provider() -%}
    {{ quoted([var("line_provider", "main")]) }}
{%- endmacro %}
