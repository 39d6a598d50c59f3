{#-
    A phone number as its national digits: NFKC, extension (内線) and every kind of dash dropped, then, from the inside out,
    +81 / 0081 / 81 / (0) to the leading zero, a lost leading zero put back, and null for what still is no number.
    Foreign numbers keep their plus.
-#}
{% macro normalize_phone(text) -%}
    {%- set plain -%}
        regexp_replace(lower(normalize({{ text }}, NFKC)), '(内線|ext|x|#).*$', '')
    {%- endset -%}
    substring(
        regexp_replace(
            regexp_replace(
                regexp_replace({{ plain }}, '[^0-9+]', '', 'g'), '^\+?(00|010)?810?(?=[1-9][0-9]{8,9}$)', '0'
            ),
            '^(?=([5789]0[0-9]{8}|[1-9][0-9]{8})$)', '0'
        ),
        '^(?:0[1-9][0-9]{8,9}|\+(?!81)[1-9][0-9]{6,14})$'
    )
{%- endmacro %}
