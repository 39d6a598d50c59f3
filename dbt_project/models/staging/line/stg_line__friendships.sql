with spans as (
    select * from {{ ref("stg_line__friendship_spans") }}
)

select
    line_user_id,
    is_reachable,
    since_at,
    since_sign,
    last_told_at,
    last_sign
from spans
where until_at is null
