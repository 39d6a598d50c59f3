with contracts as (
    select
        shopify_subscription_contract_id,
        billing_attempts
    from {{ ref("stg_shopify__subscription_contracts") }}
)

select
    fields.id as shopify_billing_attempt_id,
    contracts.shopify_subscription_contract_id,
    fields."createdAt" as attempted_at,
    fields."completedAt" as completed_at,
    fields."originTime" as billed_for_at,
    case fields.state ->> '__typename'
        when 'SubscriptionBillingAttemptSuccessState' then 'succeeded'
        when 'SubscriptionBillingAttemptFailedState' then 'failed'
        when 'SubscriptionBillingAttemptPendingState' then 'pending'
        when 'SubscriptionBillingAttemptActionRequiredState' then 'action_required'
    end as attempt_state,
    fields.state -> 'order' ->> 'id' as shopify_order_id,
    coalesce(fields.state -> 'error' ->> 'code', fields.state -> 'error' ->> '__typename') as error_code
from contracts
cross join lateral jsonb_to_recordset(contracts.billing_attempts) as fields (
    id text,
    "createdAt" timestamptz,
    "completedAt" timestamptz,
    "originTime" timestamptz,
    state jsonb
)
