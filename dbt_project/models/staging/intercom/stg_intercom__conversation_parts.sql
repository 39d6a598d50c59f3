with conversations as (
    select
        intercom_conversation_id,
        conversation_parts
    from {{ ref("stg_intercom__conversations") }}
)

select
    fields.id as intercom_conversation_part_id,
    conversations.intercom_conversation_id,
    part.part_number::int as part_number,
    fields.part_type,
    fields.author ->> 'type' as author_type,
    fields.author ->> 'id' as author_id,
    fields.author ->> 'type' in ('user', 'lead', 'contact') as is_by_customer,
    fields.body,
    to_timestamp(fields.created_at) as created_at,
    to_timestamp(fields.updated_at) as updated_at
from conversations
cross join lateral jsonb_array_elements(conversations.conversation_parts) with ordinality as part (node, part_number)
cross join lateral jsonb_to_record(part.node) as fields (
    id text,
    part_type text,
    author jsonb,
    body text,
    created_at bigint,
    updated_at bigint
)
