{% set window_days = strategy("rfm_window_days") %}
{% set thresholds = strategy("rfm_thresholds") %}

with purchases as (
    select * from {{ ref("fct_purchases") }}
    {% if window_days is not none %}
        where purchased_on > {{ as_of() }} - {{ window_days }}
    {% endif %}
),

customers as (
    select
        customer_id,
        {{ as_of() }} - max(purchased_on) as recency_days,
        count(*)::int as frequency,
        sum(net_incl_tax)::numeric(19, 4) as monetary
    from purchases
    group by customer_id
),

cut_points as (
    {% if strategy("rfm_method") == "quantile" %}
        select
            percentile_cont(array[0.2, 0.4, 0.6, 0.8]) within group (order by recency_days) as recency_days,
            percentile_cont(array[0.2, 0.4, 0.6, 0.8]) within group (order by frequency) as frequency,
            percentile_cont(array[0.2, 0.4, 0.6, 0.8]) within group (order by monetary) as monetary
        from customers
    {% else %}
        select
            array{{ thresholds["recency_days"] }}::float8[] as recency_days,
            array{{ thresholds["frequency"] }}::float8[] as frequency,
            array{{ thresholds["monetary"] }}::float8[] as monetary
    {% endif %}
),

scored as (
    select
        customers.*,
        5 - {{ cut_points_below("customers.recency_days", "cut_points.recency_days") }} as r_score,
        1 + {{ cut_points_below("customers.frequency", "cut_points.frequency") }} as f_score,
        1 + {{ cut_points_below("customers.monetary", "cut_points.monetary") }} as m_score
    from customers
    cross join cut_points
),

ranked as (
    select
        *,
        ntile(10) over (order by monetary desc, customer_id collate "C") as spend_decile
    from scored
)

select
    {{ as_of() }} as as_of,
    customer_id,
    recency_days,
    frequency,
    monetary,
    r_score,
    f_score,
    m_score,
    concat(r_score, f_score, m_score) as rfm_score,
    spend_decile,
    round(
        sum(monetary) over (partition by spend_decile) / nullif(sum(monetary) over (), 0), 6
    )::numeric(9, 6) as decile_sales_share
from ranked
