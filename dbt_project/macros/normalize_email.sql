{#-
    An e-mail address in the one form that compares: NFKC, no spaces, lower case; Gmail ignores dots and +tags and
    answers to googlemail.com too. Null where it cannot be an address. Carrier addresses with odd dots stay as they are.
-#}
{% macro normalize_email(text) -%}
    {%- set plain -%}
        lower(regexp_replace(normalize({{ text }}, NFKC), '[\s\u200B\uFEFF]', '', 'g'))
    {%- endset -%}
    case
        when {{ plain }} !~ '^[^@]+@[^@]+\.[^@.]+$' then null
        when {{ plain }} ~ '@(gmail|googlemail)\.com$'
            then nullif(replace(split_part(split_part({{ plain }}, '@', 1), '+', 1), '.', ''), '') || '@gmail.com'
        else {{ plain }}
    end
{%- endmacro %}
