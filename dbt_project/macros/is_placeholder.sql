{#- Whether a normalized e-mail or phone is what forms are filled with when there is none to give: it links nobody. -#}
{% macro is_placeholder(kind, value) -%}
    case {{ kind }}
        when 'email'
            then {{ value }} ~ '^(no[-_.]?reply|do[-_.]?not[-_.]?reply|dummy|no[-_.]?mail|none|unknown|xxx+|aaa+)[-_.0-9]*@'
        when 'phone'
            then {{ value }} ~ '^\+?(\d)\1+$' or {{ value }} ~ '^0\d{1,3}0{6,}$' or {{ value }} ~ '^0[5789]0(\d)\1{7}$'
        else false
    end
{%- endmacro %}
