-- Who is who, and everything needed to keep it so: which record is whose, every id ever issued, every change.
create table if not exists identity.issued_ids (
    customer_number integer primary key,
    customer_id text not null unique,
    founder_record_key text not null,
    issued_at timestamptz not null,
    run_id text not null,
    ended_at timestamptz
);
comment on table identity.issued_ids is
'Every customer_id ever issued, in the order of issue; ended_at is set while no record carries it.';

create table if not exists identity.members (
    record_key text primary key,
    customer_id text not null,
    source text not null,
    linked_at timestamptz not null,
    run_id text not null
);
comment on table identity.members is
'The customer of every record now. The previous content is an input of every run, full rebuilds included.';

create table if not exists identity.former_members (
    customer_id text not null,
    record_key text not null,
    primary key (customer_id, record_key)
);
comment on table identity.former_members is
'What an id held when it was merged away, and records that vanished while they carried it: the means to restore it.';

create table if not exists identity.redirects (
    old_customer_id text primary key references identity.issued_ids (customer_id),
    customer_id text not null,
    run_id text not null,
    at timestamptz not null
);
comment on table identity.redirects is 'Where the records of an id that was merged away are now; always one step.';

create table if not exists identity.events (
    event_id bigint generated always as identity primary key,
    kind text not null check (kind in ('mint', 'merge', 'split', 'restore', 'retire')),
    old_customer_id text,
    new_customer_id text,
    reason text not null,
    run_id text not null,
    at timestamptz not null
);
comment on table identity.events is
'Append-only. An id is alive from its mint or restore until its merge or retire; split tells that records moved.';

create table if not exists identity.capped_values (
    kind text not null,
    value_hash text not null,
    record_count bigint not null,
    run_id text not null,
    primary key (kind, value_hash)
);
comment on table identity.capped_values is 'Identifier values that more records share than one person can have; they link nothing.';

grant usage on schema identity to kizuna_transform;
grant select, insert, update on identity.issued_ids to kizuna_transform;
grant select, insert, update, delete
on identity.members, identity.former_members, identity.redirects, identity.capped_values
to kizuna_transform;
grant select, insert on identity.events to kizuna_transform;
