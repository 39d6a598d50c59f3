-- What every expectation found, run by run; observed and samples never hold a person's value, only ids and digests.
create table if not exists ops.quality_results (
    result_id bigint generated always as identity primary key,
    run_id text not null,
    gate text not null,
    suite text not null,
    expectation text not null,
    table_name text not null,
    column_name text,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    success boolean not null,
    observed jsonb not null default '{}',
    unexpected_count bigint,
    owner text not null,
    reason text not null,
    place text not null,
    at timestamptz not null default now()
);
do $$
begin
    -- A warehouse from before there was a gate of identity does not know its name.
    if not exists (
        select from pg_constraint
        where conrelid = 'ops.quality_results'::regclass and conname = 'quality_results_gate_check'
            and pg_get_constraintdef(oid) like '%identity%'
    ) then
        alter table ops.quality_results drop constraint if exists quality_results_gate_check;
        alter table ops.quality_results
        add constraint quality_results_gate_check check (gate in ('raw', 'identity', 'marts', 'sync'));
    end if;
end
$$;
create index if not exists quality_results_run_id on ops.quality_results (run_id, gate);
create index if not exists quality_results_history on ops.quality_results (gate, table_name, expectation, at);
grant select, insert on ops.quality_results to kizuna_transform, kizuna_activate;
grant select on ops.quality_results to kizuna_ingest;
