{#-
    A Japanese postal code as seven digits: NFKC, without 〒, dashes and spaces. Six digits have lost their leading zero in
    a spreadsheet; anything else is null.
-#}
{% macro normalize_postal_code(text) -%}
    (
        select
            case
                when typed.digits ~ '^[0-9]{7}$' collate "C" then typed.digits
                when typed.digits <> ''
                    then lpad(
                        substring(translate(normalize(typed.digits, NFKC), '〒- ー−‐–—―', '') from '^[0-9]{6,7}$' collate "C"),
                        7, '0'
                    )
            end
        from (select translate({{ text }}, '-〒', '') as digits limit 1) as typed
    )
{%- endmacro %}
