{#- A LINE user id: U and 32 hexadecimal digits; null for anything else, ids of groups and rooms included. -#}
{% macro normalize_line_user_id(text) -%}
    case
        -- Length and letters apart: counting to 32 inside a regular expression takes ten times as long.
        when length({{ text }}) = 33 and {{ text }} ~ '^U[0-9a-f]*$' collate "C" then {{ text }}
        when {{ text }} is not null
            then 'U' || substring(
                lower(regexp_replace(normalize({{ text }}, NFKC), '[\s\u200B\uFEFF]', '', 'g')),
                '^u([0-9a-f]{32})$'
            )
    end
{%- endmacro %}
