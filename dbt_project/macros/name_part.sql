{#-
    The family or given name as typed: its own field, else its part of a whole name that one space divides, the family name
    first. Names in Latin letters are left whole: nothing tells which of the two comes first.
-#}
{% macro name_part(part, own, whole) -%}
    coalesce(
        nullif(btrim({{ own }}, ' 　'), ''),
        (
            select
                case
                    when
                        split_part(typed.name, ' ', 2) <> '' and split_part(typed.name, ' ', 3) in ('', '様')
                        and octet_length(typed.name) > length(typed.name)
                        then split_part(typed.name, ' ', {{ 1 if part == "family" else 2 }})
                end
            from (select btrim(replace({{ whole }}, '　', ' ')) as name limit 1) as typed
        )
    )
{%- endmacro %}
