-- A warehouse of the skeleton: its ids, members and history move into the tables of identity.sql, once.
do $$
begin
    if not exists (
        select from pg_class
        where relname = 'members' and relnamespace = 'identity'::regnamespace and relkind = 'r'
    ) then
        return;
    end if;

    insert into identity.runs (run_number, run_id, mode, policy_version, at)
    select row_number() over (order by min(at), run_id), run_id, 'full', 'skeleton', min(at)
    from (
        select run_id, at from identity.events
        union all select run_id, issued_at from identity.issued_ids
    ) as stamps
    group by run_id;

    -- Gone until evidence speaks for them, which the next run takes.
    insert into identity.records (record_number, record_key, source, is_gone)
    select row_number() over (order by record_key collate "C"), record_key, max(source), true
    from (
        select record_key, source from identity.members
        union all select record_key, null from identity.former_members
        union all select founder_record_key, null from identity.issued_ids
    ) as said
    group by record_key;

    insert into identity.customers (customer_number, customer_id, founder_number, run_number, ended_at)
    select customer_number, customer_id::uuid, record_number, run_number, ended_at
    from identity.issued_ids
    inner join identity.records on issued_ids.founder_record_key = records.record_key
    inner join identity.runs using (run_id);

    insert into identity.memberships (record_number, customer_number, valid_from)
    select record_number, customer_number, linked_at
    from identity.members
    inner join identity.records using (record_key)
    inner join identity.issued_ids using (customer_id);

    insert into identity.claims (customer_number, record_number)
    select customer_number, record_number
    from identity.former_members
    inner join identity.records using (record_key)
    inner join identity.issued_ids using (customer_id);

    insert into identity.redirections (old_number, customer_number, run_number)
    select old_ids.customer_number, new_ids.customer_number, run_number
    from identity.redirects
    inner join identity.issued_ids as old_ids on redirects.old_customer_id = old_ids.customer_id
    inner join identity.issued_ids as new_ids on redirects.customer_id = new_ids.customer_id
    inner join identity.runs on redirects.run_id = runs.run_id;

    insert into identity.id_changes (kind, old_number, new_number, reason, run_number)
    select events.kind, old_ids.customer_number, new_ids.customer_number, reason, run_number
    from identity.events
    inner join identity.runs on events.run_id = runs.run_id
    left join identity.issued_ids as old_ids on events.old_customer_id = old_ids.customer_id
    left join identity.issued_ids as new_ids on events.new_customer_id = new_ids.customer_id
    where events.kind <> 'mint'
    order by event_id;

    drop table identity.redirects, identity.events, identity.former_members, identity.members,
    identity.issued_ids, identity.capped_values;
end
$$;
