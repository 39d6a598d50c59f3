{#-
    A person's name in the form that compares: NFKC, lower case, without honorifics (様, さん …), what stands in brackets, and
    everything that is no letter (spaces, dots, emoji, variation selectors); kana folded, old and variant kanji (旧字体, 異体字)
    as their common form by kanji_variants. Null where no letter is left. A name of kanji and katakana without variants
    takes the short way.
-#}
{% macro normalize_name(text) -%}
    {%- set variants = kanji_variants() | map(attribute=0) | join -%}
    {%- set common = kanji_variants() | map(attribute=1) | join -%}
    {%- set letters = [
        "0-9a-zß-öø-ÿāēīōūぁ-ゖゝゞァ-ヺーヽヾ々〆〇㐀-䶿一-鿿가-힣", "\uF900-\uFAFF", "\U00020000-\U0003FFFF"
    ] | join -%}
    {%- set bare -%}
        regexp_replace(
            lower(normalize(typed.name, NFKC)),
            '[(\[【<][^)\]】>]*[)\]】>]?|[^{{ letters }}]|(?:様|さま|さん|ちゃん|くん|御中)$', '', 'g'
        )
    {%- endset -%}
    (
        select
            case
                when typed.name ~ '[^ァ-ヺー々一-鿿]|[{{ variants }}]|様$|御中$' collate "C"
                    then (
                        select
                            nullif(
                                case
                                    when folded.name ~ '[{{ variants }}]' collate "C"
                                        then translate(folded.name, '{{ variants }}', '{{ common }}')
                                    else folded.name
                                end,
                                ''
                            )
                        from (select {{ fold_kana(bare) }} as name limit 1) as folded
                    )
                else nullif(typed.name, '')
            end
        from (select translate({{ text }}, ' 　', '') as name limit 1) as typed
    )
{%- endmacro %}
