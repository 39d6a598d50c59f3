-- What scoring has seen: of each record a digest of all that its pairs depend on; what differs is scored again.
create table if not exists identity.scored_records (
    record_number integer primary key,
    content_hash bigint not null,
    version text not null
);
comment on table identity.scored_records is
'The records whose pairs are scored, as they were then, by which model and policy.';
grant select, insert, update, delete on identity.scored_records to kizuna_transform;
