{#-
    A birth date as the text YYYY-MM-DD: ISO, slashes, dots, eight digits, 年月日, and the eras from Meiji on (昭和56年5月22日,
    S56.5.22, S560522, 元年). An era ends with its last year, not its last day: 昭和64年3月 is written by people and means one
    day only. Null for days that no calendar has and for years before 1868. Zero-padded dates take the short way.
-#}
{% macro normalize_birth_date(text) -%}
    {%- set real_day = [
        "^(?:(?:186[89]|18[789][0-9]|19[0-9][0-9]|20[0-9][0-9])-",
        "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)",
        "|(?:18|19|20)(?:0[48]|[2468][048]|[13579][26])-02-29|2000-02-29)$",
    ] | join -%}
    {%- set year_of_an_era -%}
        ^(?:M(?:[1-3]?[0-9]|4[0-5])|T(?:[0-9]|1[0-5])|S(?:[1-5]?[0-9]|6[0-4])|H(?:[12]?[0-9]|3[01])|R[0-9]{1,2})$
    {%- endset -%}
    {%- set without_midnight -%}
        regexp_replace(
            upper(normalize({{ text }}, NFKC)), '[T ]0?0:00(?::00(?:\.0+)?)?(?:Z|[+]00(?::?00)?)?\s*$', ''
        )
    {%- endset -%}
    {%- set dashed -%}
        translate(
            replace(replace({{ without_midnight }}, '元年', '1年'), '大正', 'T'),
            '/.年月明昭平令日治和成生まれ西暦 ', '----MSHR'
        )
    {%- endset -%}
    (
        select
            case
                when typed.day ~ '{{ real_day }}' collate "C" then typed.day
                when typed.day ~ '^[12][0-9]{7}$' collate "C"
                    then substring(
                        concat_ws('-', left(typed.day, 4), substr(typed.day, 5, 2), right(typed.day, 2))
                        from '{{ real_day }}' collate "C"
                    )
                when typed.day <> '' then (
                    select
                        substring(
                            case
                                when dated.year ~ '{{ year_of_an_era }}' collate "C"
                                    then nullif(substr(dated.year, 2)::int, 0) + case left(dated.year, 1)
                                        when 'M' then 1867
                                        when 'T' then 1911
                                        when 'S' then 1925
                                        when 'H' then 1988
                                        else 2018
                                    end || substr(dated.day, length(dated.year) + 1)
                                else dated.day
                            end
                            from '{{ real_day }}' collate "C"
                        )
                    from (
                        select
                            split_part(dashes.day, '-', 1) as year,
                            regexp_replace(dashes.day, '-(?=[0-9](-|$))' collate "C", '-0', 'g') as day
                        from (
                            select
                                regexp_replace(
                                    {{ dashed }}, '^([MTSHR][0-9]{2}|[0-9]{4})([0-9]{2})([0-9]{2})$', '\1-\2-\3'
                                ) as day
                            limit 1
                        ) as dashes
                        limit 1
                    ) as dated
                )
            end
        from (select translate(btrim({{ text }}), '/.', '--') as day limit 1) as typed
    )
{%- endmacro %}
