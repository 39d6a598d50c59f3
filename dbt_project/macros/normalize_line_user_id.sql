{#- A LINE user id: U and 32 hexadecimal digits; null for anything else, ids of groups and rooms included. -#}
{% macro normalize_line_user_id(text) -%}
    case
        when {{ text }} ~ '^U[0-9a-f]{32}$' collate "C" then {{ text }}
        when {{ text }} is not null
            then 'U' || substring(
                lower(regexp_replace(normalize({{ text }}, NFKC), '[\s\u200B\uFEFF]', '', 'g')),
                '^u([0-9a-f]{32})$'
            )
    end
{%- endmacro %}
