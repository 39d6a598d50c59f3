-- What every run of identity looked like: what its gate judges and its page draws. Figures and masked values only.
create table if not exists identity.quality (
    run_id text not null,
    metric text not null,
    kind text not null default '',
    label text not null default '',
    value numeric not null,
    at timestamptz not null,
    primary key (run_id, metric, kind, label)
);
comment on table identity.quality is
'One figure of one run: metric, of which kind of identifier or event, of which class; docs/identity.md lists them.';
create index if not exists quality_metric on identity.quality (metric, at);
grant select, insert, update, delete on identity.quality to kizuna_transform;
