{#-
    An e-mail address in the one form that compares: NFKC, no spaces, lower case, then, from the inside out, Gmail's +tag
    and second domain, Gmail's dots, and null for what cannot be an address. Carrier addresses keep their odd dots.
-#}
{% macro normalize_email(text) -%}
    {%- set plain -%}
        lower(regexp_replace(normalize({{ text }}, NFKC), '[\s\u200B\uFEFF]', '', 'g'))
    {%- endset -%}
    substring(
        regexp_replace(
            regexp_replace({{ plain }}, '(\+[^@]*)?@(gmail|googlemail)\.com$', '@gmail.com'),
            '\.(?=[^@]*@gmail\.com$)', '', 'g'
        ),
        '^[^@]+@[^@]+\.[^@.]+$'
    )
{%- endmacro %}
