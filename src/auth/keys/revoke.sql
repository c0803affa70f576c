-- Revokes a key now, unless it has ended before.
update ledger.api_keys set revoked_at = coalesce(revoked_at, $2)
where id = $1
returning
    id, name, prefix, scopes, accounts, requests_per_minute, created_at, expires_at, last_used_at, revoked_at
