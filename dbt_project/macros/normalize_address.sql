{#-
    A Japanese address in the form that compares: up to the house number (three parts at most: a fourth is a room), with
    丁目, 番地, 番, 号 as hyphens and 漢数字 as digits, without what people leave out or write in several ways (postal code,
    prefecture, 郡, 大字 and 字, の, ヶ/ケ/が, kanji variants). Building and room are dropped. Null without a house number:
    a town is nobody's address.
-#}
{% macro normalize_address(text) -%}
    {%- set variants = kanji_variants() | map(attribute=0) | join -%}
    {%- set common = kanji_variants() | map(attribute=1) | join -%}
    (
        select
            replace(
                substring(
                    chained.address
                    from '^(?=\d?\D{2})\D*(?:\d+-*[^-\d]\D*)*\d+(?:-+\d+){1,2}|^\D+\d+(?=[-|]|$)' collate "C"
                ),
                '--', '-'
            )
        from (
            select
                replace(replace(replace(replace(replace(replace(
                    case
                        when plain.address ~ '[一二三四五六七八九十〇‐–—―−ーノヶが之郡字{{ variants }}\s]' collate "C"
                            then (
                                select
                                    case
                                        when digits.address like '%十%'
                                            then regexp_replace(
                                                regexp_replace(
                                                    regexp_replace(
                                                        regexp_replace(digits.address, '(?<=\d)十(?=\d)' collate "C", '', 'g'),
                                                        '(?<=\d)十' collate "C", '0', 'g'
                                                    ),
                                                    '十(?=\d)' collate "C", '1', 'g'
                                                ),
                                                '十', '10', 'g'
                                            )
                                        else digits.address
                                    end
                                from (
                                    select
                                        translate(
                                            regexp_replace(
                                                regexp_replace(plain.address, '(?<=\d)\s+(?=\d)' collate "C", '|'),
                                                '^[^市区郡]{1,3}郡(?=[^市区]{1,6}[町村])|大字' collate "C", '', 'g'
                                            ),
                                            '一二三四五六七八九〇‐–—―−ーヶが{{ variants }} 　ノ之字',
                                            '1234567890------ケケ{{ common }}'
                                        ) as address
                                    limit 1
                                ) as digits
                            )
                        else plain.address
                    end,
                    '丁目', '-'), '丁', '-'), '番地', '-'), '番', '-'), '号', '|'), 'の', ''
                ) as address
            from (
                select
                    case
                        when left(typed.address, 3) in ('北海道', '東京都', '京都府', '大阪府') then substr(typed.address, 4)
                        when substr(typed.address, 3, 1) = '県' then substr(typed.address, 4)
                        when substr(typed.address, 4, 1) = '県' then substr(typed.address, 5)
                        else typed.address
                    end as address
                from (
                    select
                        case
                            when {{ text }} ~ '[^!-~ぁ-ヿ一-鿿々〇]|^[0-9]|[A-Z]' collate "C"
                                then regexp_replace(
                                    lower(normalize({{ text }}, NFKC)), '^[〒\s]*(?:[0-9]{3}[-‐–—―−ー\s]?[0-9]{4})?\s*', ''
                                )
                            else {{ text }}
                        end as address
                    limit 1
                ) as typed
                limit 1
            ) as plain
            limit 1
        ) as chained
    )
{%- endmacro %}
