{#- One parameter of a GA4 event as text, whichever of its four typed values holds it. -#}
{% macro event_parameter(name) -%}
    (
        select
            coalesce(
                parameter.value -> 'value' ->> 'string_value',
                parameter.value -> 'value' ->> 'int_value',
                parameter.value -> 'value' ->> 'double_value',
                parameter.value -> 'value' ->> 'float_value'
            )
        from jsonb_array_elements(fields.event_params) as parameter (value)
        where parameter.value ->> 'key' = '{{ name }}'
        limit 1
    )
{%- endmacro %}
