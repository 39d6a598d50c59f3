with customers as (
    select customer_id from {{ ref("dim_customers") }}
),

purchases as (
    select
        customer_id,
        max(purchase_number) as purchase_count,
        max(purchased_on) as last_purchase_on
    from {{ ref("fct_purchases") }}
    group by customer_id
),

history as (
    select
        customers.customer_id,
        coalesce(purchases.purchase_count, 0) as purchase_count,
        purchases.last_purchase_on,
        {{ as_of() }} - purchases.last_purchase_on as days_since_last_purchase
    from customers
    left join purchases on customers.customer_id = purchases.customer_id
),

-- The order of the branches is the definition: the first rule that holds wins.
phased as (
    select
        *,
        case
            when purchase_count = 0 then 'prospect'
            when days_since_last_purchase > {{ strategy("dormant_after_days") }} then 'dormant'
            when days_since_last_purchase > {{ strategy("at_risk_after_days") }} then 'at_risk'
            when purchase_count = 1 then 'new'
            when purchase_count >= {{ strategy("loyal_from_purchases") }} then 'loyal'
            else 'repeat'
        end as phase
    from history
)

select
    {{ as_of() }} as as_of,
    customer_id,
    phase,
    case phase
        when 'prospect' then '見込み'
        when 'dormant' then '休眠'
        when 'at_risk' then '離脱予備軍'
        when 'new' then '初回'
        when 'loyal' then '優良'
        when 'repeat' then 'リピート'
    end as phase_ja,
    purchase_count,
    last_purchase_on,
    days_since_last_purchase
from phased
