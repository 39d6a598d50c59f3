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
    {%- set eras = {"M": (1868, 45), "T": (1912, 15), "S": (1926, 64), "H": (1989, 31), "R": (2019, 99)} -%}
    {%- set without_midnight -%}
        case
            when wide.day like '%:%'
                then regexp_replace(wide.day, '[T ]0?0:00(?::00(?:[.]0+)?)?(?:Z|[+]00(?::?00)?)?\s*$', '')
            else wide.day
        end
    {%- endset -%}
    {%- set dashed -%}
        translate(
            replace(replace({{ without_midnight }}, '元', '1'), '大正', 'T'),
            '年月/.明昭平令日治和成生まれ西暦 ', '----MSHR'
        )
    {%- endset -%}
    {%- set month = "split_part(dashes.day, '-', 2)" -%}
    {%- set day = "split_part(dashes.day, '-', 3)" -%}
    (
        select
            case
                when typed.day ~ '{{ real_day }}' collate "C" then typed.day
                when length(typed.day) = 8 and typed.day not like '%-%' and octet_length(typed.day) = 8
                    then substring(
                        concat_ws('-', left(typed.day, 4), substr(typed.day, 5, 2), right(typed.day, 2))
                        from '{{ real_day }}' collate "C"
                    )
                when typed.day like '____-%-%' and length(typed.day) < 10 and octet_length(typed.day) < 10
                    then substring(
                        concat_ws(
                            '-',
                            left(typed.day, 4),
                            lpad(split_part(typed.day, '-', 2), greatest(length(split_part(typed.day, '-', 2)), 2), '0'),
                            lpad(substr(typed.day, 7 + strpos(substr(typed.day, 7), '-')), 2, '0')
                        )
                        from '{{ real_day }}' collate "C"
                    )
                when typed.day <> '' then (
                    select
                        substring(
                            case
                                {% for letter, (first_year, years) in eras.items() -%}
                                    when
                                        left(dated.year, 1) = '{{ letter }}' and length(dated.year) in (2, 3)
                                        and ltrim(substr(dated.year, 2), '0123456789') = ''
                                        then case
                                            when substr(dated.year, 2)::int between 1 and {{ years }}
                                                then {{ first_year - 1 }} + substr(dated.year, 2)::int || dated.month_and_day
                                        end
                                {% endfor -%}
                                else dated.year || dated.month_and_day
                            end
                            from '{{ real_day }}' collate "C"
                        )
                    from (
                        select
                            split_part(dashes.day, '-', 1) as year,
                            '-' || lpad({{ month }}, greatest(length({{ month }}), 2), '0')
                            || '-' || lpad({{ day }}, greatest(length({{ day }}), 2), '0')
                            || split_part(dashes.day, '-', 4) as month_and_day
                        from (
                            select
                                case
                                    when unbroken.day like '%-%' then unbroken.day
                                    when length(unbroken.day) in (7, 8)
                                        then concat_ws(
                                            '-',
                                            left(unbroken.day, -4), substr(right(unbroken.day, 4), 1, 2), right(unbroken.day, 2)
                                        )
                                end as day
                            from (
                                select {{ dashed }} as day
                                from (select upper(normalize(typed.day, NFKC)) as day limit 1) as wide
                                limit 1
                            ) as unbroken
                            limit 1
                        ) as dashes
                        limit 1
                    ) as dated
                )
            end
        from (select translate(btrim({{ text }}), '/.年月日', '----') as day limit 1) as typed
    )
{%- endmacro %}
