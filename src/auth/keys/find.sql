-- Which key has this hash?
select
    id, name, prefix, scopes, accounts, requests_per_minute, created_at, expires_at, last_used_at, revoked_at
from ledger.api_keys
where hash = $1
