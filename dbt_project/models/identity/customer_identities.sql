select
    members.record_key,
    members.customer_id,
    members.source
from {{ source("identity", "members") }} as members
where members.valid_to is null
