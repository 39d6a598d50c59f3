-- What people have decided on who is who (the table is in identity.sql). A row is never deleted: it is in force until
-- it is revoked, by whom and why.
alter table identity.overrides add column if not exists is_from_file boolean not null default false;
alter table identity.overrides add column if not exists revoked_by text;
alter table identity.overrides add column if not exists revoked_why text;

-- One living decision on one thing, whoever writes at the same moment.
create unique index if not exists overrides_in_force_once
on identity.overrides (decision, record_key_a, record_key_b, value_hash) nulls not distinct
where revoked_at is null;

-- The pairs a person is asked about, best first.
create index if not exists scored_pairs_probability on identity.scored_pairs (probability);
