-- Adds a key, and returns it as it is stored. Does nothing if there is one with its id or its hash.
insert into ledger.api_keys (
    id, hash, prefix, name, scopes, accounts, requests_per_minute, created_at, expires_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing
returning
    id, name, prefix, scopes, accounts, requests_per_minute, created_at, expires_at, last_used_at, revoked_at
