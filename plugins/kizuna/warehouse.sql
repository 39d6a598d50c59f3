-- The warehouse's schemas, one per layer, and the roles with the least each needs.
-- Run at every start; every statement may be repeated.
do $$
declare
    role_name text;
    may_act boolean;
begin
    foreach role_name in array
        array['kizuna_ingest', 'kizuna_transform', 'kizuna_activate', 'kizuna_bi', 'kizuna_webhooks']
    loop
        if not exists (select from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception when duplicate_object or unique_violation then
                null; -- another database of this cluster is being prepared at this moment
            end;
        end if;
        -- From 16 on, who made a role may administer it but not act as it until granted that too.
        if current_setting('server_version_num')::int >= 160000 then
            may_act := pg_has_role(current_user, role_name, 'set');
        else
            may_act := pg_has_role(current_user, role_name, 'member');
        end if;
        if not may_act then
            execute format('grant %I to current_user', role_name);
        end if;
    end loop;
end
$$;

do $$
declare
    layer record;
begin
    for layer in
        select * from (values
            ('raw', 'kizuna_ingest'),
            ('staging', 'kizuna_transform'),
            ('identity', 'kizuna_transform'),
            ('core', 'kizuna_transform'),
            ('marts_candidate', 'kizuna_transform'),
            ('marts', 'kizuna_transform'),
            ('segments', 'kizuna_activate'),
            ('sync', 'kizuna_activate')
        ) as layers (schema_name, owner)
    loop
        if not exists (select from pg_namespace where nspname = layer.schema_name) then
            execute format('create schema %I authorization %I', layer.schema_name, layer.owner);
        end if;
    end loop;
end
$$;

create schema if not exists ops;

grant usage on schema ops to kizuna_ingest, kizuna_transform, kizuna_activate, kizuna_webhooks;
grant usage on schema raw to kizuna_transform;
grant usage on schema marts to kizuna_bi, kizuna_activate;
grant usage on schema core to kizuna_activate;
grant usage on schema identity to kizuna_activate;
alter default privileges for role kizuna_ingest in schema raw grant select on tables to kizuna_transform;

do $$
begin
    -- dbt looks for missing schemas and creates them; it must be allowed to ask.
    execute format('grant create, connect on database %I to kizuna_transform, kizuna_activate', current_database());
    execute format('grant connect on database %I to kizuna_ingest, kizuna_bi, kizuna_webhooks', current_database());
end
$$;

-- What every dbt node took and returned, per run.
create table if not exists ops.dbt_nodes (
    run_id text not null,
    layer text not null,
    node text not null,
    status text not null,
    seconds numeric not null,
    row_count bigint,
    at timestamptz not null default now()
);
create index if not exists dbt_nodes_run_id on ops.dbt_nodes (run_id);
grant select, insert on ops.dbt_nodes to kizuna_transform, kizuna_activate;

-- Whose data this warehouse holds, so that two histories are never poured into one.
create table if not exists ops.origin (
    only_row boolean primary key default true check (only_row),
    origin text not null
);
