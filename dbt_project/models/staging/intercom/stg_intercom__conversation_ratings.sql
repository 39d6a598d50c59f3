with conversations as (
    select
        intercom_conversation_id,
        intercom_contact_id,
        conversation_rating
    from {{ ref("stg_intercom__conversations") }}
    where conversation_rating is not null
)

select
    conversations.intercom_conversation_id,
    coalesce(fields.contact ->> 'id', conversations.intercom_contact_id) as intercom_contact_id,
    fields.teammate ->> 'id' as intercom_admin_id,
    fields.rating,
    -- The two happy faces of five; the one in the middle is neither.
    case
        when fields.rating >= 4 then true
        when fields.rating <= 2 then false
    end as is_good,
    fields.remark,
    to_timestamp(fields.created_at) as requested_at,
    to_timestamp(fields.updated_at) as rated_at
from conversations
cross join lateral jsonb_to_record(conversations.conversation_rating) as fields (
    contact jsonb,
    teammate jsonb,
    rating int,
    remark text,
    created_at bigint,
    updated_at bigint
)
