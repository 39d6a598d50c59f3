-- Why two records are not one customer: what a person decided, what was refused, what is blocked, what no run has seen;
-- and where nothing is shared at all, the nearest chain of refused links that would have led from one to the other.

-- Between these two customers: every reason there is.
create or replace function identity.reasons_apart(ours integer, theirs integer)
returns table (
    finding text, record_a integer, record_b integer, kind text, value_hash bigint, note text, at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with our_records as materialized (
        select memberships.record_number, records.record_key
        from identity.memberships inner join identity.records using (record_number)
        where memberships.customer_number = ours and memberships.valid_to is null
    ),
    their_records as materialized (
        select memberships.record_number, records.record_key
        from identity.memberships inner join identity.records using (record_number)
        where memberships.customer_number = theirs and memberships.valid_to is null
    ),
    decisions as (
        select
            1 as part, 'never by decision' as finding, our_records.record_number as our_record,
            their_records.record_number as their_record, null::text as kind, null::bigint as value_hash,
            concat(
                'decision ', overrides.override_id, ' by ', overrides.who, ': ', overrides.why,
                case when applied_overrides.override_id is null then ' (from the next run on)' end
            ) as note,
            overrides.at
        from identity.overrides
        inner join our_records on our_records.record_key in (overrides.record_key_a, overrides.record_key_b)
        inner join their_records on their_records.record_key in (overrides.record_key_a, overrides.record_key_b)
        left join identity.applied_overrides using (override_id)
        where overrides.decision = 'never' and overrides.revoked_at is null
    ),
    refusals as materialized (
        select
            2, refused_links.reason, our_records.record_number, their_records.record_number, refused_links.kind,
            refused_links.value_hash, identity.rule_version(), null::timestamptz
        from our_records
        inner join identity.refused_links on our_records.record_number = refused_links.record_a
        inner join their_records on refused_links.record_b = their_records.record_number
        union all
        select
            2, refused_links.reason, our_records.record_number, their_records.record_number, refused_links.kind,
            refused_links.value_hash, identity.rule_version(), null
        from our_records
        inner join identity.refused_links on our_records.record_number = refused_links.record_b
        inner join their_records on refused_links.record_a = their_records.record_number
    ),
    our_values as materialized (
        select stored_links.value_hash, stored_links.kind_number, min(stored_links.record_number) as record_number
        from our_records inner join identity.stored_links using (record_number)
        group by stored_links.value_hash, stored_links.kind_number
    ),
    their_values as materialized (
        select stored_links.value_hash, min(stored_links.record_number) as record_number
        from their_records inner join identity.stored_links using (record_number)
        group by stored_links.value_hash
    ),
    shared_values as (
        select
            3,
            case
                when blocked_values.value_hash is not null then 'blocked: ' || blocked_values.reason
                when kinds.strength is null then 'values of this kind join nobody'
                else 'not looked at yet'
            end,
            our_values.record_number, their_values.record_number, kinds.kind, our_values.value_hash,
            case
                when blocked_values.value_hash is not null then
                    format('%s records, %s names', blocked_values.record_count, blocked_values.name_count)
                when kinds.strength is null then identity.rule_version()
                else 'the next run decides'
            end,
            blocked_values.at
        from our_values
        inner join their_values on our_values.value_hash = their_values.value_hash
        inner join identity.kinds on our_values.kind_number = kinds.kind_number
        left join identity.blocked_values on our_values.value_hash = blocked_values.value_hash
        where not exists (select from refusals where refusals.value_hash = our_values.value_hash)
    ),
    our_scores as (
        select our_records.record_number as ours, their_records.record_number as theirs, scored_pairs.*
        from our_records
        inner join identity.scored_pairs on our_records.record_key = scored_pairs.record_key_a
        inner join their_records on scored_pairs.record_key_b = their_records.record_key
        union all
        select our_records.record_number, their_records.record_number, scored_pairs.*
        from their_records
        inner join identity.scored_pairs on their_records.record_key = scored_pairs.record_key_a
        inner join our_records on scored_pairs.record_key_b = our_records.record_key
    ),
    scores as (
        select
            4, 'scored, and not accepted', our_scores.ours, our_scores.theirs, 'scored', null::bigint,
            format('%s by %s', round(our_scores.probability::numeric, 3), our_scores.model_version),
            our_scores.scored_at
        from our_scores
        where our_scores.probability > 0 and not exists (select from refusals where refusals.kind = 'scored')
    )
    select
        reasons.finding, reasons.our_record, reasons.their_record, reasons.kind, reasons.value_hash, reasons.note,
        reasons.at
    from (
        select * from decisions
        union all
        select * from refusals
        union all
        select * from shared_values
        union all
        select * from scores
    ) as reasons
    left join identity.kinds on reasons.kind = kinds.kind
    group by
        reasons.part, reasons.finding, reasons.our_record, reasons.their_record, reasons.kind, reasons.value_hash,
        reasons.note, reasons.at
    order by
        reasons.part, min(kinds.strength) nulls last, reasons.finding, reasons.our_record, reasons.their_record,
        reasons.value_hash;
end
$$;

-- From one customer to another over refused links only: the fewest customers between, within a few steps.
create or replace function identity.broken_chain(ours integer, theirs integer)
returns table (step integer, finding text, record_a integer, record_b integer, kind text, value_hash bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    farthest constant integer := 5; -- steps
    most constant integer := 5000; -- customers looked at
    frontier integer[] := array[ours];
    reached integer[] := array[ours];
    trail jsonb := '{}'; -- by customer: the refused link it was reached by
    found jsonb;
    here integer;
begin
    for distance in 1 .. farthest loop
        select jsonb_object_agg(hops.customer, to_jsonb(hops)) into found
        from (
            select distinct on (there.customer_number)
                there.customer_number as customer, here_.customer_number as came_from,
                refused.from_record, refused.to_record, refused.kind, refused.value_hash, refused.reason
            from identity.memberships as here_
            cross join lateral (
                select
                    links.record_a as from_record, links.record_b as to_record, links.kind, links.value_hash,
                    links.reason
                from identity.refused_links as links where links.record_a = here_.record_number
                union all
                select links.record_b, links.record_a, links.kind, links.value_hash, links.reason
                from identity.refused_links as links where links.record_b = here_.record_number
            ) as refused
            inner join identity.memberships as there
                on refused.to_record = there.record_number and there.valid_to is null
            where
                here_.customer_number = any(frontier) and here_.valid_to is null
                and there.customer_number <> all(reached)
            order by there.customer_number, refused.from_record, refused.to_record, refused.value_hash
        ) as hops;
        exit when found is null;
        trail := trail || found;
        exit when found ? theirs::text;
        select array_agg(keys.customer::integer) into frontier from jsonb_object_keys(found) as keys (customer);
        reached := reached || frontier;
        exit when cardinality(reached) > most;
    end loop;
    if not trail ? theirs::text then
        return;
    end if;
    return query
    with recursive back as (
        select 1 as away, trail -> theirs::text as hop
        union all
        select back.away + 1, trail -> (back.hop ->> 'came_from')
        from back
        where (back.hop ->> 'came_from')::integer <> ours
    )
    select
        (row_number() over (order by back.away desc))::integer, back.hop ->> 'reason',
        (back.hop ->> 'from_record')::integer, (back.hop ->> 'to_record')::integer, back.hop ->> 'kind',
        (back.hop ->> 'value_hash')::bigint
    from back
    order by back.away desc;
end
$$;

create or replace function identity.why_not(one text, other text)
returns table (
    step integer, finding text, record_a text, record_b text, kind text, masked_value text, note text, at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    ours record;
    theirs record;
begin
    select found.* into ours from identity.find(one) as found;
    select found.* into theirs from identity.find(other) as found;
    if ours.customer_number = theirs.customer_number then
        raise exception '% and % are one customer', quote_literal(one), quote_literal(other)
            using errcode = 'invalid_parameter_value', hint = 'ask why: identity.explain, kizuna identity explain';
    end if;
    return query
    select
        (row_number() over ())::integer, reasons.finding, ones.record_key, others.record_key, reasons.kind,
        identity.mask(values.kind, values.value), reasons.note, reasons.at
    from identity.reasons_apart(ours.customer_number, theirs.customer_number) as reasons
    left join identity.records as ones on reasons.record_a = ones.record_number
    left join identity.records as others on reasons.record_b = others.record_number
    left join identity.values on reasons.value_hash = values.value_hash and reasons.kind = values.kind;
    if found then
        return;
    end if;
    return query
    select 1, 'no shared value', one, other, null::text, null::text, null::text, null::timestamptz
    union all
    select
        chain.step + 1, 'the nearest chain breaks: ' || chain.finding, ones.record_key, others.record_key, chain.kind,
        identity.mask(values.kind, values.value), identity.rule_version(), null
    from identity.broken_chain(ours.customer_number, theirs.customer_number) as chain
    inner join identity.records as ones on chain.record_a = ones.record_number
    inner join identity.records as others on chain.record_b = others.record_number
    left join identity.values on chain.value_hash = values.value_hash and chain.kind = values.kind
    order by 1;
end
$$;
comment on function identity.why_not is
'Why two records are not one customer: decision, refused link, blocked value, or no shared value; values masked.';

revoke execute
on function identity.reasons_apart(integer, integer), identity.broken_chain(integer, integer),
identity.why_not(text, text)
from public;
grant execute
on function identity.reasons_apart(integer, integer), identity.broken_chain(integer, integer),
identity.why_not(text, text)
to kizuna_transform;
