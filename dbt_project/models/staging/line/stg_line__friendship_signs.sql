{#-
    Signs of whether a user can be reached, in the order in which they were true and not in which they arrived: late,
    repeated and shuffled events end in the same rows. Of what is told for one moment a snapshot wins, because it was
    read after the moment it is stamped with, and then the unfollow: nobody is written to on a tie.
-#}
with told as (
    select
        line_user_id,
        happened_at,
        event_type
    from {{ ref("stg_line__events") }}
    where event_type in ('follow', 'unfollow') and line_user_id is not null and happened_at is not null
),

-- Raw itself and not stg_line__followers: who is listed and when was last looked must be of one moment.
listings as (
    select
        _record_id as line_user_id,
        _extracted_at as looked_at,
        not _is_deleted as is_listed,
        _sequence
    from {{ source("line", "followers") }}
),

looks as (
    select coalesce(array_agg(distinct window_upper order by window_upper), '{}') as moments
    from {{ source("ops", "landings") }}
    where source = 'line' and stream = 'followers' and window_lower < window_upper
),

known as (
    select
        line_user_id,
        min(known_at) as known_at
    from (
        select
            line_user_id,
            happened_at as known_at
        from told
        union all
        select
            line_user_id,
            looked_at as known_at
        from listings
    ) as mentions
    group by line_user_id
),

-- The first look at or after an event confirms or refutes it; the last one speaks of everybody known by then.
looked_for as (
    select
        told.line_user_id,
        looks.moments[width_bucket(told.happened_at - interval '1 microsecond', looks.moments) + 1] as looked_at
    from told
    cross join looks
    union
    select
        known.line_user_id,
        looks.moments[array_upper(looks.moments, 1)] as looked_at
    from known
    inner join looks on known.known_at <= looks.moments[array_upper(looks.moments, 1)]
),

seen as (
    select distinct on (looked_for.line_user_id, looked_for.looked_at)
        looked_for.line_user_id,
        looked_for.looked_at,
        coalesce(listings.is_listed, false) as is_listed
    from looked_for
    left join listings
        on looked_for.line_user_id = listings.line_user_id and looked_for.looked_at >= listings.looked_at
    where looked_for.looked_at is not null
    order by
        looked_for.line_user_id asc, looked_for.looked_at asc, listings.looked_at desc nulls last,
        listings._sequence desc nulls last
),

signs as (
    select
        line_user_id,
        happened_at as told_at,
        event_type = 'follow' as is_reachable,
        event_type as sign,
        case event_type when 'follow' then 1 else 2 end as weight
    from told
    union all
    select
        line_user_id,
        looked_at as told_at,
        is_listed as is_reachable,
        'snapshot' as sign,
        3 as weight
    from seen
    union all
    select
        line_user_id,
        looked_at as told_at,
        is_listed as is_reachable,
        'snapshot' as sign,
        3 as weight
    from listings
)

select distinct on (line_user_id, told_at)
    line_user_id || '/' || extract(epoch from told_at) as sign_key,
    line_user_id,
    told_at,
    is_reachable,
    sign
from signs
order by line_user_id asc, told_at asc, weight desc
