{#- How many of an array's cut points lie strictly below a value; equal values therefore always score the same. -#}
{% macro cut_points_below(value, cut_points) -%}
    (select count(*)::int from unnest({{ cut_points }}) as points (cut_point) where points.cut_point < {{ value }}::float8)
{%- endmacro %}
