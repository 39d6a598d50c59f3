-- Every version the marts ever had. The one row in state 'published' is the version readers see: the views in
-- the schema marts look it up in the reader's own snapshot.
create table if not exists ops.published_versions (
    version integer primary key,
    published_at timestamptz not null default now(),
    as_of date not null,
    run_id text not null,
    strategy_hash text not null,
    state text not null check (state in ('published', 'kept', 'rolled_back', 'dropped')),
    row_counts jsonb not null
);
create unique index if not exists published_versions_one_published on ops.published_versions (state)
where state = 'published';
create index if not exists published_versions_run_id on ops.published_versions (run_id);
grant select, insert, update on ops.published_versions to kizuna_transform;
grant select on ops.published_versions to kizuna_activate;
