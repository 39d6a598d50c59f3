-- What vendors sent us, one row for each event, from the moment it was answered with 200. The bodies hold personal data:
-- the receiver can add rows and read none.
create table if not exists ops.webhook_inbox (
    webhook_id bigint generated always as identity primary key,
    -- Ids become visible in the order of the commits, not in their own: readers go by the transaction, never by the id.
    transaction_id xid8 not null default pg_current_xact_id(),
    vendor text not null,
    event_id text not null,
    topic text not null,
    triggered_at text,
    received_at timestamptz not null default clock_timestamp(),
    body bytea not null,
    unique (vendor, event_id)
);
create index if not exists webhook_inbox_transaction_id on ops.webhook_inbox (vendor, transaction_id);
comment on table ops.webhook_inbox is 'Events received by `kizuna webhooks`; an event is here once, however often its vendor sent it.';
comment on column ops.webhook_inbox.triggered_at is 'When it happened, in the vendor''s words, where a header and not the body says so.';

grant insert (vendor, event_id, topic, triggered_at, body) on ops.webhook_inbox to kizuna_webhooks;
grant select, delete on ops.webhook_inbox to kizuna_ingest;
