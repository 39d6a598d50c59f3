with customers as (
    select * from {{ ref("customers") }}
)

select
    as_of,
    customer_id,
    first_purchase_on,
    as_of - first_purchase_on as days_since_first_purchase
from customers
where
    purchase_count = 1
    and as_of - first_purchase_on between 0 and 7
    and is_line_reachable
