{#- A date typed by people as YYYY-MM-DD, or null where no calendar has that day. -#}
{% macro parse_date(text) -%}
    case
        when
            {{ text }} ~ '^(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$'
            and right({{ text }}, 2)::int <= extract(
                day from (left({{ text }}, 7) || '-01')::date + interval '1 month' - interval '1 day'
            )
            then ({{ text }})::date
    end
{%- endmacro %}
