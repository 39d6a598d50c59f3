{#-
    An account's id at its brand: NFKC, no spaces, lower case, without the .0 that a spreadsheet adds. Leading zeros count:
    nothing tells 0017 from a number that lost its zeros. Null where there is none.
-#}
{% macro normalize_login(text) -%}
    case
        when {{ text }} ~ '^[0-9a-z_-]+$' collate "C" then {{ text }}
        else nullif(
            regexp_replace(
                lower(regexp_replace(normalize({{ text }}, NFKC), '[\s\u200B\uFEFF]', '', 'g')), '^([0-9]+)\.0$', '\1'
            ),
            ''
        )
    end
{%- endmacro %}
