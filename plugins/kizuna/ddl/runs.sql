-- What a transform run was started with: fixed once, so that all its tasks build the same day under the same policy.
create table if not exists ops.runs (
    run_id text primary key,
    as_of date not null,
    strategy jsonb not null,
    started_at timestamptz not null default now()
);
grant select, insert on ops.runs to kizuna_transform, kizuna_activate;
