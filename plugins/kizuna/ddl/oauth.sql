-- The tokens of vendors that hand out a new refresh token with every access token. Both are encrypted under a key that is
-- derived from the connection's client secret, which is not in this database: the table alone is worth nothing.
create table if not exists ops.oauth_tokens (
    connection text primary key,
    first_token_hash bytea not null, -- of the refresh token in the connection these tokens come from: another one there wins
    refresh_token bytea not null,
    access_token bytea not null,
    expires_at timestamptz not null, -- the access token, by the vendor's clock
    vendor_is_ahead_by interval not null,
    renewed_at timestamptz not null default now()
);

grant select, insert, update on ops.oauth_tokens to kizuna_ingest;
