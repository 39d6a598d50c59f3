{#-
    A person's name in the form that compares: NFKC, no spaces, middle dots or variation selectors, kana folded, old and
    variant kanji (旧字体, 異体字) as their common form. 齊/斉 and 齋/斎 are different names and stay apart.
-#}
{% macro normalize_name(text) -%}
    {%- set bare -%}
        lower(regexp_replace({{ text }}, '[\s\u3000・･\uFE00-\uFE0F\U000E0100-\U000E01EF]', '', 'g'))
    {%- endset -%}
    nullif(
        translate(
            {{ fold_kana(bare) }},
            '髙邊邉齋齊﨑嵜濵濱廣瀨德𠮷嶋嶌冨舘龍澤櫻眞惠國會條壽榮栁桒籔藪萬與實寶關鐵圓縣藏禮峯槇遙彌凉曾麥豐靜淸淺黑黃增橫內綠學應',
            '高辺辺斎斉崎崎浜浜広瀬徳吉島島富館竜沢桜真恵国会条寿栄柳桑薮薮万与実宝関鉄円県蔵礼峰槙遥弥涼曽麦豊静清浅黒黄増横内緑学応'
        ),
        ''
    )
{%- endmacro %}
