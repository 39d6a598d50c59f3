{#-
    A phone number as its national digits: NFKC, extension (内線) and every kind of dash dropped, +81 / 0081 / (0) and a
    lost leading zero put right. Foreign numbers keep their plus. Null where it cannot be a number.
-#}
{% macro normalize_phone(text) -%}
    {%- set plain -%}
        regexp_replace(lower(normalize({{ text }}, NFKC)), '(内線|ext|x|#).*$', '')
    {%- endset -%}
    {%- set digits -%}
        regexp_replace(regexp_replace({{ plain }}, '^(\D*)(00|010)(?=81)', '\1'), '\D', '', 'g')
    {%- endset -%}
    case
        when {{ digits }} ~ '^810?[1-9]\d{8,9}$' then regexp_replace({{ digits }}, '^810?', '0')
        when {{ plain }} ~ '^\s*\+' then '+' || nullif({{ digits }}, '')
        when {{ digits }} ~ '^0[1-9]\d{8,9}$' then {{ digits }}
        when {{ digits }} ~ '^([5789]0\d{8}|[1-9]\d{8})$' then '0' || {{ digits }}
    end
{%- endmacro %}
