{#-
    The family or given name as typed: its own field, else its part of a whole name that one space divides, the family name
    first. Names in Latin letters are left whole: nothing tells which of the two comes first.
-#}
{% macro name_part(part, own, whole) -%}
    coalesce(
        nullif(btrim({{ own }}, ' 　'), ''),
        substring(
            {{ whole }}
            from '^[ 　]*{{ "([^ -~　]+)[ 　]+[^ -~　]+" if part == "family" else "[^ -~　]+[ 　]+([^ -~　]+)" }}(?:[ 　]*様)?[ 　]*$'
            collate "C"
        )
    )
{%- endmacro %}
