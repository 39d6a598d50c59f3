{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="line_user_id",
    on_schema_change="append_new_columns",
    indexes=[{"columns": ["_sequence"]}],
) }}

with ranked as (
    select
        line_user_id,
        link_nonce as nonce,
        happened_at as linked_at,
        -- Whoever links another account of the shop later has that one from then on.
        row_number() over (partition by line_user_id order by happened_at desc, webhook_event_id desc) as link_rank
    from {{ ref("stg_line__events") }}
    where event_type = 'accountLink' and link_result = 'ok' and line_user_id is not null
),

links as (
    select
        ranked.line_user_id,
        nonces.shop_customer_id,
        ranked.nonce,
        ranked.linked_at
    from ranked
    left join {{ ref("stg_line__account_link_nonces") }} as nonces on ranked.nonce = nonces.nonce
    where ranked.link_rank = 1
)

select
    links.line_user_id,
    links.shop_customer_id,
    links.nonce,
    links.linked_at,
    -- Events and nonces count apart: what is new here is told by the moment of the build that first showed it.
    (extract(epoch from now()) * 1000000)::bigint as _sequence
from links
{% if is_incremental() %}
    left join {{ this }} as kept on links.line_user_id = kept.line_user_id
    where
        kept._sequence is null
        or links.nonce is distinct from kept.nonce
        or links.shop_customer_id is distinct from kept.shop_customer_id
{% endif %}
