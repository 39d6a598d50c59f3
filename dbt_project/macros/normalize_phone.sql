{#-
    A phone number as its national digits: NFKC, extension (内線), a second number and every kind of dash dropped, then
    +81 / 0081 / 81 / (0) to the leading zero, a lost leading zero put back. Mobile numbers have 11 digits and landlines 10;
    null for what still is no number. Foreign numbers keep their plus.
-#}
{% macro normalize_phone(text) -%}
    (
        select
            case
                when dialled.digits ~ '[^0-9]' collate "C"
                    then case when dialled.digits ~ '^[+][1-9][0-9]{6,14}$' collate "C" then dialled.digits end
                when length(dialled.digits) = 11
                    then case
                        when left(dialled.digits, 3) in ('090', '080', '070', '060', '050', '020') then dialled.digits
                    end
                when
                    length(dialled.digits) = 10 and left(dialled.digits, 1) = '0' and left(dialled.digits, 2) <> '00'
                    and left(dialled.digits, 3) not in ('090', '080', '070', '060', '050')
                    then dialled.digits
            end
        from (
            select
                case
                    when bare.digits like '0%' and bare.digits not like '00%' and bare.digits not like '01081%' then bare.digits
                    when bare.digits like '+81%' then '0' || ltrim(substr(bare.digits, 4), '0')
                    when bare.digits like '0081%' then '0' || ltrim(substr(bare.digits, 5), '0')
                    when bare.digits like '01081%' then '0' || ltrim(substr(bare.digits, 6), '0')
                    when bare.digits like '81%' and length(bare.digits) > 10 then '0' || ltrim(substr(bare.digits, 3), '0')
                    when length(bare.digits) in (9, 10) and bare.digits not like '+%' then '0' || bare.digits
                    else bare.digits
                end as digits
            from (
                select
                    case
                        when typed.digits ~ '[^0-9+]' collate "C"
                            then regexp_replace(
                                regexp_replace(
                                    lower(normalize(typed.phone, NFKC)), '(?:内線|ext|fax|x|#|(?<=[0-9])\s*[/,、;]).*$', ''
                                ),
                                '[^0-9+]', '', 'g'
                            )
                        else typed.digits
                    end as digits
                from (
                    select
                        given.phone,
                        translate(given.phone, '- ()', '') as digits
                    from (select {{ text }} as phone limit 1) as given
                    limit 1
                ) as typed
                limit 1
            ) as bare
            limit 1
        ) as dialled
    )
{%- endmacro %}
