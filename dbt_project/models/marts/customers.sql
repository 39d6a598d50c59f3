with customers as (
    select * from {{ ref("dim_customers") }}
),

phases as (
    select * from {{ ref("customer_phases") }}
),

scores as (
    select * from {{ ref("rfm") }}
),

purchases as (
    select
        customer_id,
        sum(order_count)::int as order_count,
        min(purchased_on) as first_purchase_on,
        min(purchased_on) filter (where purchase_number = 2) as second_purchase_on,
        min(source_channel) filter (where purchase_number = 1) as first_channel,
        percentile_cont(0.5) within group (order by days_since_previous) as median_interval_days,
        sum(total_incl_tax) as gross_spend,
        sum(refunded_incl_tax) as refunded_amount,
        sum(net_incl_tax) as net_spend
    from {{ ref("fct_purchases") }}
    group by customer_id
)

select
    {{ as_of() }} as as_of,
    customers.customer_id,
    customers.first_seen_on,
    customers.prefecture,
    customers.is_line_friend,
    customers.is_line_linked,
    customers.is_line_friend and customers.is_line_linked as is_line_reachable,
    phases.phase,
    coalesce(purchases.order_count, 0) as order_count,
    phases.purchase_count,
    phases.purchase_count >= 2 as is_repeat,
    purchases.first_purchase_on,
    purchases.second_purchase_on,
    phases.last_purchase_on,
    purchases.first_channel,
    purchases.second_purchase_on - purchases.first_purchase_on as days_to_second_purchase,
    phases.days_since_last_purchase,
    phases.last_purchase_on - purchases.first_purchase_on as lifespan_days,
    purchases.median_interval_days::numeric(9, 1) as median_interval_days,
    coalesce(purchases.gross_spend, 0)::numeric(19, 4) as gross_spend_incl_tax,
    coalesce(purchases.refunded_amount, 0)::numeric(19, 4) as refunded_incl_tax,
    coalesce(purchases.net_spend, 0)::numeric(19, 4) as net_spend_incl_tax,
    (purchases.net_spend / purchases.order_count)::numeric(19, 4) as average_order_value_incl_tax,
    scores.r_score,
    scores.f_score,
    scores.m_score,
    scores.spend_decile
from customers
inner join phases on customers.customer_id = phases.customer_id
left join purchases on customers.customer_id = purchases.customer_id
left join scores on customers.customer_id = scores.customer_id
