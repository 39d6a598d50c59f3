{#-
    An e-mail address in the one form that compares: NFKC, no spaces, lower case, without what mail programs put around
    it (<>, mailto:, a comma behind it). Gmail's dots, +tag and second domain are the same mailbox by Google's own rule;
    no other vendor's are, and carrier mail (docomo, ezweb/au, vodafone/softbank) is never aliased: an old address may
    be another person's today. Null for what cannot be an address. A clean ASCII address takes the short way.
-#}
{% macro normalize_email(text) -%}
    {%- set possible = "^[^@\\s<>,;:]+@[a-z0-9-]+(?:[.][a-z0-9-]+)+$" -%}
    (
        select
            case
                when split_part(valid.address, '@', 2) in ('gmail.com', 'googlemail.com')
                    then nullif(replace(split_part(split_part(valid.address, '@', 1), '+', 1), '.', ''), '') || '@gmail.com'
                else valid.address
            end
        from (
            select
                case
                    when octet_length(lowered.address) = length(lowered.address) and lowered.address ~ '{{ possible }}' collate "C"
                        then lowered.address
                    else substring(
                        regexp_replace(
                            lower(normalize(lowered.address, NFKC)),
                            '^.*<(?=[^<]*>)|>.*$|^mailto:|[\s\u200B-\u200D\u2060\uFEFF\u3000]|[.,;、。]+\s*$', '', 'g'
                        )
                        from '{{ possible }}' collate "C"
                    )
                end as address
            from (select lower(btrim({{ text }}) collate "C") as address limit 1) as lowered
            limit 1
        ) as valid
    )
{%- endmacro %}
