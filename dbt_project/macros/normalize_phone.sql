{#-
    A phone number as its national digits: NFKC, extension (内線), a second number and every kind of dash dropped, then,
    from the inside out, +81 / 0081 / 81 / (0) to the leading zero, a lost leading zero put back. Mobile numbers have 11
    digits and landlines 10; null for what still is no number. Foreign numbers keep their plus. A number of digits and
    hyphens alone takes the short way.
-#}
{% macro normalize_phone(text) -%}
    (
        select
            case
                when typed.digits ~ '^0(?:[5-9]0[0-9]{8}|20[0-9]{8}|(?![5-9]0)[1-9][0-9]{8})$' collate "C"
                    then typed.digits
                else substring(
                    regexp_replace(
                        regexp_replace(
                            regexp_replace(
                                regexp_replace(
                                    lower(normalize({{ text }}, NFKC)), '(?:内線|ext|fax|x|#|(?<=[0-9])\s*[/,、;]).*$', ''
                                ),
                                '[^0-9+]', '', 'g'
                            ),
                            '^\+?(?:00|010)?810?(?=[1-9][0-9]{8,9}$)', '0'
                        ),
                        '^(?=(?:[5-9]0[0-9]{8}|(?![5-9]0)[1-9][0-9]{8})$)', '0'
                    ),
                    '^(?:0(?:[5-9]0[0-9]{8}|20[0-9]{8}|(?![5-9]0)[1-9][0-9]{8})|\+(?!81)[1-9][0-9]{6,14})$'
                )
            end
        from (select translate({{ text }}, '- ()', '') as digits limit 1) as typed
    )
{%- endmacro %}
