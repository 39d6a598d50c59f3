{#- Each segment here becomes one LINE audience of its name. -#}
{% set segments = [
    "seg_f2_first_seven_days",
] %}

with members as (
    {% for segment in segments %}
        select
            '{{ segment }}' as audience,
            customer_id
        from {{ ref(segment) }}
        {{ "union all" if not loop.last }}
    {% endfor %}
),

line_links as (
    select * from {{ ref("dim_line_links") }}
)

select
    members.audience,
    members.customer_id,
    line_links.line_user_id,
    line_links.consent_evidence
from members
-- Who is no longer a linked follower has no row here and leaves the audience.
inner join line_links on members.customer_id = line_links.customer_id
