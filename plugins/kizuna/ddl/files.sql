-- Files that have been landed, by their content; written in the transaction that lands their rows. `row_count` is 0 for a
-- file with the content of another, whose rows are not landed again.
create table if not exists ops.landed_files (
    source text not null,
    stream text not null,
    name text not null,
    content_hash bytea not null,
    byte_count bigint not null,
    row_count bigint not null,
    modified_at timestamptz not null,
    run_id text not null,
    landed_at timestamptz not null default now(),
    primary key (source, stream, name, content_hash)
);
comment on table ops.landed_files is 'Files whose rows are in raw. Delete a row to have its file read again.';
grant select, insert, update on ops.landed_files to kizuna_ingest;
grant select on ops.landed_files to kizuna_transform;
