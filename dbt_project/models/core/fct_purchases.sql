with orders as (
    select * from {{ ref("fct_orders") }}
    where is_purchase
),

purchases as (
    select
        customer_id,
        purchase_number,
        ordered_on as purchased_on,
        count(*)::int as order_count,
        (array_agg(order_id order by order_number))[1] as first_order_id,
        (array_agg(source_channel order by order_number))[1] as source_channel,
        sum(total_incl_tax)::numeric(19, 4) as total_incl_tax,
        sum(refunded_incl_tax)::numeric(19, 4) as refunded_incl_tax,
        sum(net_incl_tax)::numeric(19, 4) as net_incl_tax
    from orders
    group by customer_id, purchase_number, ordered_on
)

select
    customer_id,
    purchase_number,
    purchased_on,
    first_order_id,
    source_channel,
    order_count,
    total_incl_tax,
    refunded_incl_tax,
    net_incl_tax,
    purchased_on - lag(purchased_on) over (partition by customer_id order by purchase_number) as days_since_previous
from purchases
