{#- Data test: every key of an earlier model is in this one; it stands here so that the earlier one builds alone. -#}
{% test covers_every_record(model, records, field) %}
    select distinct records.{{ field }}
    from {{ records }} as records
    left join {{ model }} as covered on records.{{ field }} = covered.{{ field }}
    where covered.{{ field }} is null
{% endtest %}
