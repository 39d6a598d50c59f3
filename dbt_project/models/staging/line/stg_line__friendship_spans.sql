with turns as (
    select
        line_user_id,
        told_at,
        is_reachable,
        sign,
        lag(is_reachable) over (partition by line_user_id order by told_at) as was_reachable
    from {{ ref("stg_line__friendship_signs") }}
),

numbered as (
    select
        line_user_id,
        told_at,
        is_reachable,
        sign,
        count(*) filter (where was_reachable is null or was_reachable <> is_reachable) over (
            partition by line_user_id order by told_at
        ) as span_number
    from turns
),

spans as (
    select
        line_user_id,
        span_number,
        bool_and(is_reachable) as is_reachable,
        min(told_at) as since_at,
        (array_agg(sign order by told_at))[1] as since_sign,
        max(told_at) as last_told_at,
        (array_agg(sign order by told_at desc))[1] as last_sign
    from numbered
    group by line_user_id, span_number
)

select
    line_user_id || '/' || span_number as span_key,
    line_user_id,
    is_reachable,
    since_at,
    lead(since_at) over (partition by line_user_id order by span_number) as until_at,
    since_sign,
    last_told_at,
    last_sign
from spans
