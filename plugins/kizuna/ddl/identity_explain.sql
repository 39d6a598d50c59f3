-- Why records are one customer, and why others are not: for people, so every value is masked. The functions act as
-- their owner, so that who may ask need not be able to read the values themselves.

create or replace function identity.mask_part(part text) returns text
language sql immutable parallel safe
as $$
select case
    when part is null or part = '' then part
    -- At most the last third of a number, and four digits: 09012345678 is …678, 1980-02-01 is …01.
    when part ~ '^[0-9 ()+./-]+$' then
        '…' || right(
            regexp_replace(part, '[^0-9]', '', 'g'),
            least(4, length(regexp_replace(part, '[^0-9]', '', 'g')) / 3)
        )
    when length(part) = 1 or part ~ '^[0-9]' then '…'
    else left(part, 1) || '…'
end
$$;
comment on function identity.mask_part is
'The first letter of a text or the last digits of a number; never how long it is.';

create or replace function identity.mask(kind text, value text) returns text
language sql immutable parallel safe
as $$
select case
    when kind = 'profile' then '…'
    when kind in ('login', 'line') and strpos(value, ':') > 0 then
        split_part(value, ':', 1) || ':' || identity.mask_part(substr(value, strpos(value, ':') + 1))
    when kind = 'email' then
        identity.mask_part(split_part(value, '@', 1)) || '@' || identity.mask_part(split_part(value, '@', 2))
    else
        (
            select string_agg(identity.mask_part(parts.part), '|' order by parts.place)
            from unnest(string_to_array(value, '|')) with ordinality as parts (part, place)
        )
end
$$;
comment on function identity.mask is
'A value as it may be shown: t…@e…, …678, 佐…|…01. The brand or LINE provider a login or LINE id belongs to stays.';

create or replace function identity.rule_version() returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select runs.policy_version from identity.runs order by runs.run_number desc limit 1;
$$;
comment on function identity.rule_version is 'The digest of the policy by which the links are as they are now.';

create or replace function identity.nearest(name text) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(near.record_key, ', ' order by near.record_key)
    from (
        (
            select records.record_key from identity.records
            where records.record_key < nearest.name collate "C" and not records.is_gone
            order by records.record_key desc limit 2
        )
        union all
        (
            select records.record_key from identity.records
            where records.record_key > nearest.name collate "C" and not records.is_gone
            order by records.record_key limit 2
        )
    ) as near;
$$;
comment on function identity.nearest is 'The known record keys around a name that is not known.';

create or replace function identity.find(
    name text, out record_number integer, out customer_number integer, out asked_customer_number integer
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    select memberships.record_number, memberships.customer_number into record_number, customer_number
    from identity.records
    inner join identity.memberships on records.record_number = memberships.record_number
    where records.record_key = find.name and memberships.valid_to is null;
    if found then
        return;
    end if;
    if exists (select from identity.records where records.record_key = find.name) then
        raise exception 'the record % belongs to no customer now', quote_literal(find.name)
            using errcode = 'no_data_found', hint = 'its evidence is gone, or no run has seen it yet';
    end if;
    if find.name !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        raise exception '% is no record and no customer that identity knows', quote_literal(find.name)
            using errcode = 'no_data_found', hint = concat('nearest: ', coalesce(identity.nearest(find.name), 'none'));
    end if;
    select customers.customer_number, coalesce(redirections.customer_number, customers.customer_number)
    into asked_customer_number, customer_number
    from identity.customers
    left join identity.redirections on customers.customer_number = redirections.old_number
    where customers.customer_id = find.name::uuid;
    if not found then
        raise exception 'no customer was ever %', quote_literal(find.name) using errcode = 'no_data_found';
    end if;
    -- Whoever asks by an old id means the records that came with it.
    select memberships.record_number into record_number
    from identity.memberships
    inner join identity.records on memberships.record_number = records.record_number
    left join identity.claims
        on memberships.record_number = claims.record_number and claims.customer_number = find.asked_customer_number
    where memberships.customer_number = find.customer_number and memberships.valid_to is null
    order by claims.record_number is null, records.first_seen_at nulls last, records.record_key
    limit 1;
    if not found then
        raise exception 'the customer % has no records any more', quote_literal(find.name)
            using errcode = 'no_data_found', hint = 'identity.events tells when and why it ended';
    end if;
end
$$;
comment on function identity.find is
'The record and customer that a record key or a customer_id, redirected ones too, stands for; an error when none.';

create or replace function identity.explain(record_a text, record_b text)
returns table (
    step integer, from_record text, to_record text, kind text, masked_value text, source text,
    first_seen_at timestamptz, strength integer, rule_version text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    one record;
    other record;
begin
    select found.* into one from identity.find(explain.record_a) as found;
    select found.* into other from identity.find(explain.record_b) as found;
    if one.record_number = other.record_number then
        raise exception '% and % are the same record', quote_literal(explain.record_a), quote_literal(explain.record_b)
            using errcode = 'invalid_parameter_value', hint = 'expected two records, or two ids of one customer';
    end if;
    if one.customer_number <> other.customer_number then
        raise exception '% and % are two customers', quote_literal(explain.record_a), quote_literal(explain.record_b)
            using errcode = 'invalid_parameter_value', hint = 'ask why not: identity.why_not, kizuna identity why-not';
    end if;
    return query
    with recursive tree as materialized (
        select chains.* from identity.chains(one.record_number) as chains
    ),
    chain as (
        select tree.* from tree where tree.record_number = other.record_number
        union all
        select tree.* from chain inner join tree on chain.linked_to = tree.record_number
    )
    select
        chain.depth, from_records.record_key, to_records.record_key, chain.kind,
        identity.mask(values.kind, values.value), to_records.source, chain.first_seen_at, chain.strength,
        identity.decided_by(chain.kind, chain.value_hash)
    from chain
    inner join identity.records as from_records on chain.linked_to = from_records.record_number
    inner join identity.records as to_records on chain.record_number = to_records.record_number
    left join identity.values on chain.value_hash = values.value_hash and chain.kind = values.kind
    order by chain.depth;
    if not found then
        raise exception 'nothing joins % and % any more',
            quote_literal(explain.record_a), quote_literal(explain.record_b)
            using errcode = 'no_data_found', hint = 'what joined them has changed: the next run splits them';
    end if;
end
$$;
comment on function identity.explain(text, text) is
'Why two records are one customer: a short chain of the strongest links, values masked. Takes customer_ids too.';

create or replace function identity.decided_by(kind text, value_hash bigint) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        case
            when decided_by.kind in ('always', 'never') then (
                select format('decision %s by %s', overrides.override_id, overrides.who)
                from identity.overrides where overrides.override_id = decided_by.value_hash
            )
            else identity.rule_version()
        end
$$;
comment on function identity.decided_by is
'By which rules a link counts: the policy''s digest, or the decision and who took it.';
