-- How far each stream has been read: moves only in the transaction that lands the window it closes.
create table if not exists ops.watermarks (
    source text not null,
    stream text not null,
    upper_at timestamptz not null,
    cursor text,
    run_id text not null,
    updated_at timestamptz not null default now(),
    primary key (source, stream)
);
-- Where the vendor said to go on, for streams that are not read by time.
alter table ops.watermarks add column if not exists cursor text;

-- Every landed window, with what the vendor counted and what was read.
create table if not exists ops.landings (
    landing_id bigint generated always as identity primary key,
    run_id text not null,
    source text not null,
    stream text not null,
    read_count bigint not null,
    vendor_count bigint,
    landed_count bigint not null,
    quarantined_count bigint not null,
    page_count bigint not null,
    window_lower timestamptz not null,
    window_upper timestamptz not null,
    seconds double precision not null,
    at timestamptz not null default now()
);
-- Null where the vendor has no count and a second reading was the proof.
alter table ops.landings alter column vendor_count drop not null;
create index if not exists landings_run_id on ops.landings (run_id);

-- Records that could not be landed, whole, so that they can be replayed. They may hold personal data: ingest alone reads them.
create table if not exists ops.quarantine (
    source text not null,
    stream text not null,
    payload_hash bytea not null,
    reason text not null,
    record_id text,
    payload text not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    seen_count bigint not null default 1,
    run_id text not null,
    resolved_at timestamptz,
    resolution text,
    field text,
    shown text,
    primary key (source, stream, payload_hash, reason)
);
-- Nothing leaves the quarantine without a word on how: a replayed record stays, resolved.
alter table ops.quarantine add column if not exists resolved_at timestamptz;
alter table ops.quarantine add column if not exists resolution text;
-- Where the fault is, and the form of the value there, as far as it is one field.
alter table ops.quarantine add column if not exists field text;
alter table ops.quarantine add column if not exists shown text;

grant select, insert, update on ops.watermarks, ops.quarantine to kizuna_ingest;
grant select, insert on ops.landings to kizuna_ingest;
grant select on ops.watermarks, ops.landings to kizuna_transform;
