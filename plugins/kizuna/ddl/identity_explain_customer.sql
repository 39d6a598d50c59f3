-- One customer as it is and became: the records and what each hangs on, the ids it had, events, household, decisions.
create or replace function identity.explain(customer_or_record text)
returns table (
    part text, subject text, linked_to text, kind text, masked_value text, source text, at timestamptz, note text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    asked record;
    customer integer;
    oldest integer;
    ids integer[];
begin
    select found.* into asked from identity.find(explain.customer_or_record) as found;
    customer := asked.customer_number;
    select array_agg(numbers.customer_number) into ids
    from (
        select customer as customer_number
        union all
        select redirections.old_number from identity.redirections where redirections.customer_number = customer
    ) as numbers;
    select records.record_number into oldest
    from identity.memberships
    inner join identity.records on memberships.record_number = records.record_number
    where memberships.customer_number = customer and memberships.valid_to is null
    order by records.first_seen_at nulls last, records.record_key
    limit 1;

    return query
    select
        'customer', customers.customer_id::text, null, null, null, null, runs.at,
        case
            when asked.asked_customer_number <> customer then
                format('asked for as %s, which redirects here', explain.customer_or_record)
        end
    from identity.customers
    left join identity.runs on customers.run_number = runs.run_number
    where customers.customer_number = customer;

    return query
    select
        'record', records.record_key, linked.record_key, chains.kind, identity.mask(values.kind, values.value),
        records.source, coalesce(chains.first_seen_at, nullif(records.first_seen_at, 'infinity')),
        case
            when records.record_number = oldest then 'the oldest record'
            when chains.record_number is null then 'nothing joins it any more: the next run takes it away'
            else identity.decided_by(chains.kind, chains.value_hash)
        end
    from identity.memberships
    inner join identity.records on memberships.record_number = records.record_number
    left join identity.chains(oldest) as chains on memberships.record_number = chains.record_number
    left join identity.records as linked on chains.linked_to = linked.record_number
    left join identity.values on chains.value_hash = values.value_hash and chains.kind = values.kind
    where memberships.customer_number = customer and memberships.valid_to is null
    order by chains.depth nulls last, records.first_seen_at nulls last, records.record_key;

    return query
    select
        'former id', customers.customer_id::text, null, null, null, null, customers.ended_at,
        'its records came here'
    from identity.customers
    where customers.customer_number = any(ids) and customers.customer_number <> customer
    order by customers.customer_number;

    return query
    select
        'event', changes.kind, null, null, null, null, runs.at,
        concat(
            coalesce(olds.customer_id::text, '–'), ' → ', coalesce(news.customer_id::text, '–'), ': ', changes.reason
        )
    from (
        select 0 as event_id, 'mint' as kind, null as old_number, customers.customer_number as new_number,
            'first seen' as reason, customers.run_number
        from identity.customers
        where customers.customer_number = any(ids)
        union all
        select id_changes.event_id, id_changes.kind, id_changes.old_number, id_changes.new_number,
            id_changes.reason, id_changes.run_number
        from identity.id_changes
        where id_changes.old_number = any(ids) or id_changes.new_number = any(ids)
    ) as changes
    left join identity.runs on changes.run_number = runs.run_number
    left join identity.customers as olds on changes.old_number = olds.customer_number
    left join identity.customers as news on changes.new_number = news.customer_number
    order by changes.run_number, changes.event_id, changes.new_number;

    return query
    select
        'household', customers.customer_id::text, null, null, null, null, null::timestamptz,
        format('household %s', heads.customer_id)
    from identity.household_members as mine
    inner join identity.household_members as others on mine.household_number = others.household_number
    inner join identity.customers on others.customer_number = customers.customer_number
    inner join identity.customers as heads on mine.household_number = heads.customer_number
    where mine.customer_number = customer and others.customer_number <> customer
    order by customers.customer_number;

    return query
    select
        'decision', overrides.override_id::text, null, overrides.decision, null, null, overrides.at,
        format('%s and %s; %s: %s', overrides.record_key_a, overrides.record_key_b, overrides.who, overrides.why)
    from identity.memberships
    inner join identity.records on memberships.record_number = records.record_number
    inner join identity.overrides
        on records.record_key in (overrides.record_key_a, overrides.record_key_b) and overrides.revoked_at is null
    where memberships.customer_number = customer and memberships.valid_to is null
    group by overrides.override_id
    order by overrides.override_id;
end
$$;
comment on function identity.explain(text) is
'Everything about the customer that a record key or customer_id stands for; values masked.';

revoke execute
on function identity.find(text), identity.nearest(text), identity.rule_version(), identity.decided_by(text, bigint),
identity.chains(integer), identity.explain(text), identity.explain(text, text)
from public;
grant execute
on function identity.find(text), identity.nearest(text), identity.rule_version(), identity.decided_by(text, bigint),
identity.chains(integer), identity.explain(text), identity.explain(text, text)
to kizuna_transform;
