-- Who may call. A secret is shown once and never stored: what is in here is its hash.
create table ledger.api_keys (
    -- Public: it names the key in lists, in logs, and as the actor of events.
    id text not null,
    -- SHA-256 of the secret. Secrets are random and long, so a slow hash would add nothing.
    hash bytea not null,
    -- The first characters of the secret, to recognise it by.
    prefix text not null,
    name text not null,
    scopes text[] not null,
    -- The only accounts that it may use; null: all.
    accounts text[],
    -- Requests a minute; null: the server's default; 0: no limit.
    requests_per_minute integer,
    created_at timestamptz not null,
    expires_at timestamptz,
    -- To the minute: written seldom, never on the way of a request.
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_id primary key (id),
    constraint api_keys_hash unique (hash),
    constraint api_keys_scopes check (
        cardinality(scopes) > 0
        and scopes <@ array['deduct', 'read', 'billing', 'audit', 'operate', 'admin']
    ),
    constraint api_keys_requests_per_minute check (requests_per_minute >= 0)
);
