{#- How much of a cohort has been observed for its whole window. -#}
{% macro maturity(matured_count, customer_count) -%}
    case
        when {{ matured_count }} = 0 then 'immature'
        when {{ matured_count }} < {{ customer_count }} then 'partly matured'
        else 'matured'
    end
{%- endmacro %}
