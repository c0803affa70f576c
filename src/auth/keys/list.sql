-- Which keys are there, the oldest first?
select
    id, name, prefix, scopes, accounts, requests_per_minute, created_at, expires_at, last_used_at, revoked_at
from ledger.api_keys
order by created_at, id
