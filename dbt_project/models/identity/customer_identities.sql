select
    members.record_key,
    members.customer_id,
    households.household_id,
    members.source,
    members.brand
from {{ source("identity", "members") }} as members
left join {{ source("identity", "households") }} as households on members.customer_id = households.customer_id
where members.valid_to is null
