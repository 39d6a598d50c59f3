{#-
    A name's reading in the form that compares, for readings only: kana folded, small kana as large ones (シヨウ is how ショウ is
    typed on many forms), ヂ・ヅ as ジ・ズ, and one way to write a long vowel: after the o-row オ and ー become ウ (オオノ, オーノ,
    オウノ), after the e-row エ and ー become イ, elsewhere ー becomes the vowel it lengthens. A short vowel stays short: オノ is
    not オオノ. Letters that are no kana stay as they are. Katakana without long vowels takes the short way.
-#}
{% macro normalize_reading(text) -%}
    {%- set irregular -%}
        [^アイウエオカ-ヂツテ-モヤユヨラ-ロワン]|[オコソトノホモヨロゴゾドボポ]オ|[エケセテネヘメレゲゼデベペ]エ
    {%- endset -%}
    {%- set small, large = "ョュャッヅヂォェァィゥヮヲヰヱヵヶ", "ヨユヤツズジオエアイウワオイエカケ" -%}
    {%- set without_bars -%}
        case
            when folded.reading like '%ー%'
                then regexp_replace(
                    regexp_replace(
                        regexp_replace(folded.reading, '([アカサタナハマヤラワガザダバパ])ー', '\1ア', 'g'),
                        '([イキシチニヒミリギジビピ])ー', '\1イ', 'g'
                    ),
                    '([ウクスツヌフムユルグズブプヴ])ー', '\1ウ', 'g'
                )
            else folded.reading
        end
    {%- endset -%}
    (
        select
            case
                when typed.reading !~ '{{ irregular }}' collate "C" then nullif(typed.reading, '')
                when typed.reading is not null
                    then (
                        select
                            case
                                when kana.reading !~ '{{ irregular }}' collate "C" then nullif(kana.reading, '')
                                else (
                                    select
                                        regexp_replace(
                                            regexp_replace(
                                                {{ without_bars }}, '([オコソトノホモヨロゴゾドボポ])[オー]', '\1ウ', 'g'
                                            ),
                                            '([エケセテネヘメレゲゼデベペ])[エー]', '\1イ', 'g'
                                        )
                                    from (
                                        select translate({{ normalize_name("typed.written") }}, '{{ small }}', '{{ large }}') as reading
                                        limit 1
                                    ) as folded
                                )
                            end
                        from (
                            select translate({{ fold_kana("typed.written") }}, '{{ small }} ', '{{ large }}') as reading
                            limit 1
                        ) as kana
                    )
            end
        from (
            select
                given.written,
                translate(given.written, '{{ small }} 　', '{{ large }}') as reading
            from (select {{ text }} as written limit 1) as given
            limit 1
        ) as typed
    )
{%- endmacro %}
