{#-
    An e-mail address in the one form that compares: NFKC, no spaces, lower case, without what mail programs put around
    it (<>, mailto:, a comma behind it). Gmail's dots, +tag and second domain are the same mailbox by Google's own rule;
    no other vendor's are, and carrier mail (docomo, ezweb/au, vodafone/softbank) is never aliased: an old address may
    be another person's today. Null for what cannot be an address. Plain ASCII takes the short way.
-#}
{% macro normalize_email(text) -%}
    (
        select
            substring(
                case
                    when typed.address like '%@g%mail.com'
                        then regexp_replace(
                            regexp_replace(typed.address, '(\+[^@]*)?@(gmail|googlemail)\.com$', '@gmail.com'),
                            '\.(?=[^@]*@gmail\.com$)', '', 'g'
                        )
                    else typed.address
                end
                from '^[^@\s]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+$' collate "C"
            )
        from (
            select
                case
                    when octet_length({{ text }}) = length({{ text }}) and {{ text }} !~ '[<>\s,;:]|[.]$' collate "C"
                        then lower({{ text }} collate "C")
                    else regexp_replace(
                        lower(normalize({{ text }}, NFKC)),
                        '^.*<(?=[^<]*>)|>.*$|^mailto:|[\s\u200B-\u200D\u2060\uFEFF\u3000]|[.,;、。]+\s*$', '', 'g'
                    )
                end as address
            limit 1
        ) as typed
    )
{%- endmacro %}
