{#- Data test: all amounts are in one currency; sums over several would mean nothing without a rate. -#}
{% test one_currency(model) %}
    select
        min(currency) as one_currency,
        max(currency) as another_currency
    from {{ model }}
    having min(currency) <> max(currency)
{% endtest %}
