{#-
    The consonants of a name in katakana or Latin letters, one form for both: シヨウジ, shoji and Syouji are sz. It only finds
    who may have one given name; whether they do is compared. Null for other letters, and where nothing but vowels is said.
-#}
{% macro name_skeleton(name) -%}
    {%- set consonants -%}
        regexp_replace(regexp_replace({{ name }}, 'ch|tch|ts', 't', 'g'), 'sh', 's', 'g')
    {%- endset -%}
    case
        when {{ name }} ~ '^([ァ-ヺー]+|[a-z]+)$' collate "C"
            then nullif(
                regexp_replace(
                    translate(
                        regexp_replace({{ consonants }}, 'm(?=[bp])', 'n', 'g'),
                        'jflcvカキクケコガギグゲゴサシスセソザジズゼゾタチツッテトダヂヅデドナニヌネノハヒフヘホバビブベボヴパピプペポマミムメモラリルレロワンaiueoyアイウエオヲヤユヨァィゥェォャュョー',
                        'zhrkbkkkkkgggggssssszzzzzttttttdzzddnnnnnhhhhhbbbbbbpppppmmmmmrrrrrwn'
                    ),
                    '(.)\1+', '\1', 'g'
                ),
                ''
            )
    end
{%- endmacro %}
