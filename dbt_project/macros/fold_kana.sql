{#- Kana in one form: half width to full width (NFKC), katakana to hiragana, so that サトウ, ｻﾄｳ and さとう compare. -#}
{% macro fold_kana(text) -%}
    translate(
        normalize({{ text }}, NFKC),
        'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶ',
        'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖ'
    )
{%- endmacro %}
