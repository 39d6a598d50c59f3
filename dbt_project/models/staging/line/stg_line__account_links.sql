with linked as (
    select
        line_user_id,
        link_nonce as nonce,
        happened_at as linked_at,
        -- Whoever links another account of the shop later has that one from then on.
        row_number() over (partition by line_user_id order by happened_at desc, webhook_event_id desc) as link_rank
    from {{ ref("stg_line__events") }}
    where event_type = 'accountLink' and link_result = 'ok' and line_user_id is not null
),

nonces as (
    select
        nonce,
        shop_customer_id
    from {{ ref("stg_line__account_link_nonces") }}
)

select
    linked.line_user_id,
    nonces.shop_customer_id,
    linked.nonce,
    linked.linked_at
from linked
left join nonces on linked.nonce = nonces.nonce
where linked.link_rank = 1
