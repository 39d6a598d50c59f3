{#-
    Kana in one form: half width to full width (NFKC), hiragana to katakana, so that さとう, ｻﾄｳ and サトウ compare.
    Katakana is what forms ask for, so most values stay as they are. Text without hiragana takes the short way.
-#}
{% macro fold_kana(text) -%}
    (
        select
            case
                when typed.kana ~ '[ぁ-ゖゝゞ]' collate "C"
                    then translate(
                        typed.kana,
                        'いうんかしこたきみりなおさまよゆとくえちのあすけめひやらにはわせつるてろそもねれほをふむへぬゃゅょっがぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽぁぃぅぇぉゎゐゑゔゕゖゝゞ',
                        'イウンカシコタキミリナオサマヨユトクエチノアスケメヒヤラニハワセツルテロソモネレホヲフムヘヌャュョッガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポァィゥェォヮヰヱヴヵヶヽヾ'
                    )
                else typed.kana
            end
        from (
            select
                case
                    when {{ text }} ~ '[^ -~ぁ-ヿ一-鿿々〇]' collate "C" then normalize({{ text }}, NFKC)
                    else {{ text }}
                end as kana
            limit 1
        ) as typed
    )
{%- endmacro %}
