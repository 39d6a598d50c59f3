{#- Whose row of a mapped file it is: the customer's of that system, or else somebody who left a way to reach them. -#}
{% macro files_record_key(name) -%}
    case
        when fields.customer_number is not null
            then 'files:customer:' || (versions.payload ->> 'system') || '/' || fields.customer_number
        when coalesce(fields.email, fields.phone) is not null then 'files:{{ name }}:' || versions._record_id
    end
{%- endmacro %}
