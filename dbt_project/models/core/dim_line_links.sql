with customers as (
    select * from {{ ref("dim_customers") }}
)

select
    customer_id,
    line_user_id,
    concat(
        'follows the LINE account, first read on ', line_first_seen_on,
        '; linked by an order of ', {{ business_date("line_linked_at") }}
    ) as consent_evidence
from customers
where is_line_friend and is_line_linked
