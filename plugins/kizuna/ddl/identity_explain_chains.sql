-- How the records of one customer hang together: a tree of the strongest links, seen from one record.
--
-- From the root on, whatever is reached by the strongest link still open is taken next (Prim's algorithm), nearer ones
-- first: so the chain to any record is made of the strongest links there are, and is short among those. A value is
-- opened once. Where the policy asks for agreement, or the value's links were refused elsewhere because names or births
-- speak against each other, it is opened by every record that carries it, for the records that agree with that one, and
-- at last for the others. The work grows with the customer's links, whatever their shape.
create or replace function identity.agree(one jsonb, other jsonb) returns boolean
language sql immutable parallel safe
as $$
select
    one = other
    or one ->> 'full' = other ->> 'full'
    or one ->> 'full_kana' = other ->> 'full_kana'
    or one ->> 'birth' = other ->> 'birth'
    and (one ->> 'given' = other ->> 'given' or one ->> 'given_kana' = other ->> 'given_kana')
$$;
comment on function identity.agree is
'Whether two profiles of one customer plainly agree; kizuna.identity.comparing knows more, and decides.';

create or replace function identity.chains(root integer)
returns table (
    record_number integer, linked_to integer, depth integer, kind text, value_hash bigint, strength integer,
    first_seen_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    numbers int[]; -- by the place of a record: its number, its profile, and where its values start in carried
    profiles jsonb[];
    record_starts int[];
    value_starts int[]; -- by the place of a value: where its records start in carriers, and what it is
    value_kinds text[];
    value_hashes bigint[];
    value_strengths int[];
    value_levels int[];
    wants_agreement bool[];
    carriers int[];
    seen timestamptz[];
    carried int[];
    depths int[] := '{}'; -- by the place of a record, once it is reached
    since timestamptz[] := '{}';
    is_open bool[] := '{}'; -- values that wait or were opened
    first_waiting int[] := '{}'; -- by level: a queue of (value, record that it was reached with)
    last_waiting int[] := '{}';
    next_waiting int[] := '{}';
    waiting_values int[] := '{}';
    waiting_records int[] := '{}';
    level int;
    last_level int;
    entry int := 0;
    here int;
    there int;
    value int;
    news int[];
begin
    with our_members as materialized (
        select
            memberships.record_number,
            values.value::jsonb as profile,
            (row_number() over (order by records.first_seen_at nulls last, records.record_key))::int as place
        from identity.memberships as mine
        inner join identity.memberships
            on mine.customer_number = memberships.customer_number and memberships.valid_to is null
        inner join identity.records on memberships.record_number = records.record_number
        left join identity.values on records.profile_hash = values.value_hash and values.kind = 'profile'
        where mine.record_number = root and mine.valid_to is null
    ),
    carrying as (
        select
            our_members.place, kinds.kind, stored_links.value_hash, kinds.strength::int as strength,
            min(stored_links.first_seen_at) as seen_at
        from our_members
        inner join identity.stored_links on our_members.record_number = stored_links.record_number
        inner join identity.kinds on stored_links.kind_number = kinds.kind_number
        where
            kinds.strength is not null
            and not exists (
                select from identity.blocked_values where blocked_values.value_hash = stored_links.value_hash
            )
        group by our_members.place, kinds.kind, stored_links.value_hash, kinds.strength
        union all
        -- A decision or a scored pair is like a value that two records carry.
        select our_members.place, 'always', applied_overrides.override_id, 0, overrides.at
        from identity.applied_overrides
        inner join identity.overrides using (override_id)
        inner join our_members
            on our_members.record_number in (applied_overrides.record_a, applied_overrides.record_b)
        where applied_overrides.decision = 'always'
        union all
        select ours.place, 'scored', pairs.pair, 32767, scored_pairs.scored_at
        from (
            select
                applied_pairs.*,
                row_number() over (order by applied_pairs.probability desc, record_a, record_b) as pair
            from identity.applied_pairs
            where
                record_a in (select our_members.record_number from our_members)
                and record_b in (select our_members.record_number from our_members)
        ) as pairs
        inner join our_members as ours on ours.record_number in (pairs.record_a, pairs.record_b)
        inner join identity.records as ones on pairs.record_a = ones.record_number
        inner join identity.records as others on pairs.record_b = others.record_number
        left join identity.scored_pairs
            on
                scored_pairs.record_key_a = least(ones.record_key, others.record_key)
                and scored_pairs.record_key_b = greatest(ones.record_key, others.record_key)
    ),
    shared as (
        select
            carrying.*,
            count(*) over one_value as record_count,
            min(seen_at) over one_value as value_seen_at
        from carrying
        window one_value as (partition by carrying.strength, carrying.kind, carrying.value_hash)
    ),
    placed as materialized (
        select
            shared.*,
            (dense_rank() over (
                order by shared.strength, shared.value_seen_at nulls last, shared.kind, shared.value_hash
            ))::int as value_place,
            (dense_rank() over (order by shared.strength))::int as strength_level
        from shared
        where shared.record_count > 1
    ),
    by_value as (
        select
            value_place, min(placed.kind) as kind, min(placed.value_hash) as value_hash,
            min(placed.strength) as strength, min(strength_level) as strength_level, count(*) as record_count
        from placed
        group by value_place
    ),
    by_record as (
        select
            our_members.place, our_members.record_number, our_members.profile,
            count(placed.value_place) as value_count
        from our_members
        left join placed on our_members.place = placed.place
        group by our_members.place, our_members.record_number, our_members.profile
    ),
    refused as materialized (
        select refused_links.value_hash
        from our_members inner join identity.refused_links on our_members.record_number = refused_links.record_a
        where refused_links.reason in ('no agreement', 'names contradict', 'birth dates differ')
        union
        select refused_links.value_hash
        from our_members inner join identity.refused_links on our_members.record_number = refused_links.record_b
        where refused_links.reason in ('no agreement', 'names contradict', 'birth dates differ')
    ),
    policy as (
        select policies.policy -> 'kinds' as kinds
        from identity.policies
        where policies.policy_version = identity.rule_version()
    )
    select
        (select array_agg(by_record.record_number order by place) from by_record),
        (select array_agg(by_record.profile order by place) from by_record),
        (
            select array_agg(start order by place)
            from (
                select place, (1 + sum(value_count) over (order by place) - value_count)::int as start from by_record
                union all
                select count(*)::int + 1, (1 + sum(value_count))::int from by_record
            ) as starts
        ),
        (
            select array_agg(start order by value_place)
            from (
                select
                    value_place,
                    (1 + sum(by_value.record_count) over (order by value_place) - by_value.record_count)::int as start
                from by_value
                union all
                select count(*)::int + 1, (1 + coalesce(sum(by_value.record_count), 0))::int from by_value
            ) as starts
        ),
        (select array_agg(by_value.kind order by value_place) from by_value),
        (select array_agg(by_value.value_hash order by value_place) from by_value),
        (select array_agg(by_value.strength order by value_place) from by_value),
        (select array_agg(by_value.strength_level order by value_place) from by_value),
        (
            select
                array_agg(
                    coalesce(policy.kinds -> by_value.kind ->> 'requires', '') = 'agreement'
                    or coalesce(policy.kinds -> by_value.kind ->> 'requires', '') <> 'nothing'
                    and by_value.value_hash in (select refused.value_hash from refused)
                    order by by_value.value_place
                )
            from by_value
            left join policy on true
        ),
        (select array_agg(placed.place order by value_place, placed.place) from placed),
        (select array_agg(placed.seen_at order by value_place, placed.place) from placed),
        (select array_agg(value_place order by placed.place, value_place) from placed)
    into
        numbers, profiles, record_starts, value_starts, value_kinds, value_hashes, value_strengths, value_levels,
        wants_agreement, carriers, seen, carried;

    here := array_position(numbers, root);
    if here is null then
        return;
    end if;
    record_number := root;
    depth := 0;
    return next;
    depths[here] := 0;
    news := array[here];
    last_level := coalesce(1 + (select max(one.level) from unnest(value_levels) as one (level)), 0);
    loop
        -- What the records just reached carry waits for its turn.
        foreach here in array news loop
            for place in record_starts[here] .. record_starts[here + 1] - 1 loop
                value := carried[place];
                foreach level in array array[value_levels[value], last_level] loop
                    if is_open[value] and (level = last_level or not wants_agreement[value]) then
                        continue;
                    end if;
                    if level = last_level and not wants_agreement[value] then
                        continue;
                    end if;
                    entry := entry + 1;
                    waiting_values[entry] := value;
                    waiting_records[entry] := here;
                    if coalesce(first_waiting[level], 0) = 0 then
                        first_waiting[level] := entry;
                    else
                        next_waiting[last_waiting[level]] := entry;
                    end if;
                    last_waiting[level] := entry;
                end loop;
                is_open[value] := true;
            end loop;
        end loop;

        level := 1;
        while level <= last_level and coalesce(first_waiting[level], 0) = 0 loop
            level := level + 1;
        end loop;
        exit when level > last_level;
        value := waiting_values[first_waiting[level]];
        here := waiting_records[first_waiting[level]];
        first_waiting[level] := coalesce(next_waiting[first_waiting[level]], 0);

        news := '{}';
        for place in value_starts[value] .. value_starts[value + 1] - 1 loop
            if carriers[place] = here then
                first_seen_at := seen[place];
            end if;
        end loop;
        for place in value_starts[value] .. value_starts[value + 1] - 1 loop
            there := carriers[place];
            if depths[there] is not null
                or wants_agreement[value] and level < last_level
                and not coalesce(identity.agree(profiles[here], profiles[there]), false) then
                continue;
            end if;
            depths[there] := depths[here] + 1;
            news := news || there;
            since[there] := greatest(first_seen_at, seen[place]);
        end loop;
        foreach there in array news loop
            record_number := numbers[there];
            linked_to := numbers[here];
            depth := depths[there];
            kind := value_kinds[value];
            value_hash := value_hashes[value];
            strength := value_strengths[value];
            first_seen_at := nullif(since[there], 'infinity'); -- that is how nobody knows when is stored
            return next;
        end loop;
    end loop;
end
$$;
comment on function identity.chains is
'Every record of the root''s customer, what it hangs on and by what; value_hash of always is the decision''s number.';
