{#-
    A Japanese address in the form that compares: up to the house number (three parts at most: a fourth is a room), with
    丁目, 番地, 番, 号 as hyphens and 漢数字 as digits, without what people leave out or write in several ways (postal code,
    prefecture, 郡, 大字 and 字, の, ヶ/ケ/が, kanji variants). Building and room are dropped. Null without a house number:
    a town is nobody's address.
-#}
{% macro normalize_address(text) -%}
    {%- set variants = kanji_variants() | map(attribute=0) | join -%}
    {%- set common = kanji_variants() | map(attribute=1) | join -%}
    {%- set local -%}
        case
            when left(typed.address, 3) in ('北海道', '東京都', '京都府', '大阪府') then substr(typed.address, 4)
            when substr(typed.address, 3, 1) = '県' then substr(typed.address, 4)
            when substr(typed.address, 4, 1) = '県' then substr(typed.address, 5)
            else typed.address
        end
    {%- endset -%}
    {%- set unspaced -%}
        case
            when plain.address like '% %'
                then regexp_replace(plain.address, '(?<=[0-9])\s+(?=[0-9])' collate "C", '|')
            else plain.address
        end
    {%- endset -%}
    {%- set without_counties -%}
        case
            when unspaced.address like '%郡%' or unspaced.address like '%大字%'
                then regexp_replace(
                    unspaced.address, '^[^市区郡]{1,3}郡(?=[^市区]{1,6}[町村])|大字' collate "C", '', 'g'
                )
            else unspaced.address
        end
    {%- endset -%}
    {%- set tens -%}
        replace(
            regexp_replace(
                regexp_replace(digits.address, '(?<![0-9])十' collate "C", '1十', 'g'), '十(?![0-9])' collate "C", '0', 'g'
            ),
            '十', ''
        )
    {%- endset -%}
    {%- set respelled -%}
        (
            select case when digits.address like '%十%' then {{ tens }} else digits.address end
            from (
                select
                    translate(
                        case
                            when counted.address ~ '[{{ variants }}]' collate "C"
                                then translate(counted.address, '{{ variants }}', '{{ common }}')
                            else counted.address
                        end,
                        '一二三四五六七八九〇‐–—―−ーヶが 　ノ之字', '1234567890------ケケ'
                    ) as address
                from (select {{ without_counties }} as address limit 1) as counted
                limit 1
            ) as digits
        )
    {%- endset -%}
    {%- set numbered -%}
        replace(replace(replace(replace(replace(replace(
            spelled.address, '丁目', '-'), '丁', '-'), '番地', '-'), '番', '-'), '号', '|'), 'の', ''
        )
    {%- endset -%}
    {%- set rare = "一二三四五六七八九十〇‐–—―−ーノヶが之郡字" ~ variants -%}
    (
        select
            case
                -- A chain of numbers: what stands before its first hyphen, and two parts more at most.
                when placed.hyphen > 1 and ltrim(placed.town, '0123456789') <> ''
                    then placed.town || '-' || split_part(placed.numbers, '-', 1)
                    || coalesce('-' || nullif(split_part(placed.numbers, '-', 2), ''), '')
                else substring(placed.address from '^[^0-9]+[0-9]+(?=[-|]|$)' collate "C")
            end
        from (
            select
                found.address,
                found.hyphen,
                left(found.address, found.hyphen) as town,
                left(
                    substr(found.address, found.hyphen + 2),
                    length(found.address) - found.hyphen - 1
                    - length(ltrim(substr(found.address, found.hyphen + 2), '0123456789-'))
                ) as numbers
            from (
                select
                    chained.address,
                    regexp_instr(chained.address, '[0-9]-[0-9]' collate "C") as hyphen
                from (
                    select
                        (
                            select replace({{ numbered }}, '--', '-')
                            from (
                                select
                                    case
                                        when unspaced.address ~ '[{{ rare }}]' collate "C" then {{ respelled }}
                                        else replace(unspaced.address, ' ', '')
                                    end as address
                                from (select {{ unspaced }} as address limit 1) as unspaced
                                limit 1
                            ) as spelled
                        ) as address
                    from (
                        select {{ local }} as address
                        from (
                            select
                                case
                                    when left(whole.address, 1) in ('〒', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
                                        then regexp_replace(
                                            whole.address, '^〒?\s*(?:[0-9]{3}[-‐–—―−ー\s]?[0-9]{4})?\s*' collate "C", ''
                                        )
                                    else whole.address
                                end as address
                            from (
                                select
                                    case
                                        when {{ text }} ~ '[^!-@\[-~ぁ-ヿ一-鿿々〇 ]' collate "C"
                                            then btrim(lower(normalize({{ text }}, NFKC)))
                                        else btrim({{ text }})
                                    end as address
                                limit 1
                            ) as whole
                            limit 1
                        ) as typed
                        limit 1
                    ) as plain
                    limit 1
                ) as chained
                limit 1
            ) as found
            limit 1
        ) as placed
    )
{%- endmacro %}
