-- Files that have been landed, by their content: the same bytes under another name are not landed again.
create table if not exists ops.landed_files (
    source text not null,
    stream text not null,
    name text not null,
    content_hash bytea not null,
    byte_count bigint not null,
    row_count bigint not null,
    run_id text not null,
    landed_at timestamptz not null default now(),
    primary key (source, stream, content_hash)
);
grant select, insert on ops.landed_files to kizuna_ingest;
grant select on ops.landed_files to kizuna_transform;
