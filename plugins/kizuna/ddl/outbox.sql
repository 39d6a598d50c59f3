-- What each destination holds, how it came to hold it, and the work under way. No vendor id of a person is kept in
-- these tables: member_key is its SHA-256.
create table if not exists ops.sync_audiences (
    destination_object text not null,
    audience text not null,
    live_audience_id bigint,
    live_digest text,
    member_count bigint not null,
    ignored_count bigint not null,
    swapped_at timestamptz not null,
    expires_at timestamptz,
    run_id text not null,
    primary key (destination_object, audience)
);
comment on table ops.sync_audiences is
'The audience that is live at the vendor for every segment. Set live_audience_id to null to have it built anew.';

create table if not exists ops.sync_jobs (
    job_id bigint generated always as identity primary key,
    destination_object text not null,
    audience text not null,
    run_id text not null,
    digest text not null,
    state text not null check (
        state in ('creating', 'adding', 'waiting', 'removing', 'cleaning', 'done', 'abandoning', 'abandoned')
    ),
    member_count bigint not null,
    batches_sent integer not null default 0,
    audience_id bigint,
    replaced_audience_id bigint,
    lifetime interval,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index if not exists sync_jobs_open on ops.sync_jobs (destination_object, audience)
where state not in ('done', 'abandoned');
comment on table ops.sync_jobs is
'Every rebuild of an audience. A row is written before each vendor call (intent) and after it (result), so that a killed run is taken up where it died.';

create table if not exists ops.sync_acknowledged (
    destination_object text not null,
    audience text not null,
    member_key text not null,
    customer_id text not null,
    consent_evidence text not null,
    acknowledged_at timestamptz not null,
    primary key (destination_object, audience, member_key)
);
comment on table ops.sync_acknowledged is 'Who the vendor has confirmed to hold; the state every delivery is compared with.';

create table if not exists ops.sync_ledger (
    ledger_id bigint generated always as identity primary key,
    destination_object text not null,
    audience text not null,
    customer_id text not null,
    member_key text,
    change text not null check (change in ('added', 'removed', 'rejected')),
    reason text,
    consent_evidence text,
    audience_id bigint,
    run_id text not null,
    at timestamptz not null default now()
);
create index if not exists sync_ledger_customer_id on ops.sync_ledger (customer_id);
create index if not exists sync_ledger_rejected on ops.sync_ledger (destination_object, audience, customer_id)
where change = 'rejected';
comment on table ops.sync_ledger is 'Append-only: one row for every person and change at a destination, with the consent it stood on.';

grant select, insert, update, delete on ops.sync_audiences, ops.sync_jobs, ops.sync_acknowledged to kizuna_activate;
grant select, insert on ops.sync_ledger to kizuna_activate;
