-- Which other keys of this name ($1) still have all scopes?
select id
from ledger.api_keys
where name = $1 and id <> $2 and revoked_at is null and (expires_at is null or expires_at > $3)
    and 'admin' = any (scopes)
order by created_at, id
