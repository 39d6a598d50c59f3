{#-
    Kana in one form: half width to full width (NFKC), hiragana to katakana, so that さとう, ｻﾄｳ and サトウ compare.
    Katakana is what forms ask for, so most values stay as they are. Text without hiragana takes the short way.
-#}
{% macro fold_kana(text) -%}
    (
        select
            case
                when full_width.kana ~ '[ぁ-ゖゝゞ]' collate "C"
                    then translate(
                        full_width.kana,
                        'いうんかしこたきみりなおさまよゆとくえちのあすけめひやらにはわせつるてろそもねれほをふむへぬゃゅょっがぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽぁぃぅぇぉゎゐゑゔゕゖゝゞ',
                        'イウンカシコタキミリナオサマヨユトクエチノアスケメヒヤラニハワセツルテロソモネレホヲフムヘヌャュョッガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポァィゥェォヮヰヱヴヵヶヽヾ'
                    )
                else full_width.kana
            end
        from (
            select
                case
                    when typed.kana ~ '[^ -~ぁ-ヿ一-鿿々〇]' collate "C" then normalize(typed.kana, NFKC)
                    else typed.kana
                end as kana
            from (select {{ text }} as kana limit 1) as typed
            limit 1
        ) as full_width
    )
{%- endmacro %}
