{#- Data test: every key of another model is in this one. It stands at the later model, so that the earlier builds alone. -#}
{% test covers_every_record(model, records, field) %}
    select distinct records.{{ field }}
    from {{ records }} as records
    left join {{ model }} as covered on records.{{ field }} = covered.{{ field }}
    where covered.{{ field }} is null
{% endtest %}
