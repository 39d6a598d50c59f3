with purchases as (
    select * from {{ ref("fct_purchases") }}
),

first_purchases as (
    select * from purchases
    where purchase_number = 1
),

second_purchases as (
    select * from purchases
    where purchase_number = 2
),

first_time_buyers as (
    select
        first_purchases.customer_id,
        first_purchases.purchased_on as first_purchase_on,
        second_purchases.days_since_previous as gap_days
    from first_purchases
    left join second_purchases on first_purchases.customer_id = second_purchases.customer_id
),

windows as (
    select
        window_days,
        window_days::text as window_label
    from unnest(array{{ strategy("f2_windows_days") }}) as given (window_days)
    union all
    select
        null as window_days,
        'ever' as window_label
),

observed as (
    select
        date_trunc('month', buyers.first_purchase_on)::date as first_purchase_month,
        windows.window_days,
        windows.window_label,
        -- `ever` has no end to wait for: everyone counts from the first day, and the rate is the one so far.
        coalesce(buyers.first_purchase_on + windows.window_days <= {{ as_of() }}, true) as is_matured,
        buyers.gap_days is not null and coalesce(buyers.gap_days <= windows.window_days, true) as is_converted
    from first_time_buyers as buyers
    cross join windows
),

cohorts as (
    select
        first_purchase_month,
        window_days,
        window_label,
        count(*)::int as customer_count,
        (count(*) filter (where is_converted))::int as converted_count,
        (count(*) filter (where is_matured))::int as matured_count,
        (count(*) filter (where is_matured and is_converted))::int as matured_converted_count
    from observed
    group by first_purchase_month, window_days, window_label
)

select
    {{ as_of() }} as as_of,
    first_purchase_month,
    window_label,
    window_days,
    customer_count,
    converted_count,
    matured_count,
    matured_converted_count,
    round(matured_converted_count::numeric / nullif(matured_count, 0), 6)::numeric(9, 6) as f2_rate,
    {{ maturity("matured_count", "customer_count") }} as maturity
from cohorts
