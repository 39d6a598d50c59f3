with customers as (
    select * from {{ ref("customers") }}
),

money as (
    select coalesce(max(currency), '{{ strategy("reporting_currency") }}') as currency
    from {{ ref("fct_orders") }}
),

first_years as (
    select
        count(distinct customers.customer_id) as year_old_count,
        sum(purchases.net_incl_tax) as first_year_net
    from customers
    inner join {{ ref("fct_purchases") }} as purchases on customers.customer_id = purchases.customer_id
    where
        customers.first_purchase_on + 365 <= {{ as_of() }}
        and purchases.purchased_on <= customers.first_purchase_on + 365
),

totals as (
    select
        count(*) as customer_count,
        count(*) filter (where purchase_count > 0) as buyer_count,
        nullif(count(*) filter (where purchase_count > 0), 0)::numeric as buyers,
        count(*) filter (where is_repeat) as repeat_count,
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(purchase_count), 0) as purchase_count,
        coalesce(sum(gross_spend_incl_tax), 0) as gross,
        coalesce(sum(refunded_incl_tax), 0) as refunded,
        coalesce(sum(net_spend_incl_tax), 0) as net,
        -- The first day counts as one, so that nobody's time is nothing.
        ({{ as_of() }} - min(first_purchase_on) + 1) / 365.0 as observed_years,
        sum({{ as_of() }} - first_purchase_on + 1) / 365.0 as tenure_years,
        avg(lifespan_days) as lifespan_days,
        avg(lifespan_days) filter (where is_repeat) as repeat_lifespan_days
    from customers
),

figures as (
    {% for metric, label_en, label_ja, unit, value, base in kpi_metrics() %}
        select
            {{ loop.index }} as position,
            '{{ metric }}' as metric,
            'all' as window_label,
            '{{ label_en }}' as label_en,
            '{{ label_ja }}' as label_ja,
            {{ "money.currency" if unit == "money" else "'" ~ unit ~ "'" }} as unit,
            ({{ value }})::numeric as value,
            {{ base }} as customer_count,
            null::bigint as converted_count,
            null::bigint as matured_count,
            null::bigint as matured_converted_count
        from totals
        cross join money
        cross join first_years
        {{ "union all" if not loop.last }}
    {% endfor %}
),

f2 as (
    select
        100 + row_number() over (order by window_days nulls last) as position,
        'f2_rate' as metric,
        window_label,
        concat('F2: second purchase ', coalesce('within ' || window_days || ' days', 'ever')) as label_en,
        concat('F2転換率(', coalesce(window_days || '日以内', '全期間'), ')') as label_ja,
        'rate' as unit,
        sum(matured_converted_count) / nullif(sum(matured_count), 0)::numeric as value,
        sum(customer_count) as customer_count,
        sum(converted_count) as converted_count,
        sum(matured_count) as matured_count,
        sum(matured_converted_count) as matured_converted_count
    from {{ ref("f2_cohorts") }}
    group by window_days, window_label
),

every_figure as (
    select * from figures
    union all
    select * from f2
)

select
    {{ as_of() }} as as_of,
    position::int as position,
    metric,
    window_label,
    label_en,
    label_ja,
    -- Counts without decimals, money and rates with those they have: the table is read as it is.
    trim_scale(round(value, 6)) as value,
    unit,
    customer_count::int as customer_count,
    converted_count::int as converted_count,
    matured_count::int as matured_count,
    matured_converted_count::int as matured_converted_count,
    case
        when metric = 'f2_rate' then {{ maturity("matured_count", "customer_count") }}
    end as maturity
from every_figure
order by position
