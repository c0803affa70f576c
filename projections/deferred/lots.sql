-- Which of these grants were paid for, and what became of their credits? Each is looked up by its key: for a list, a
-- database without statistics would go through all lots.
select lot.*
from unnest($2::text[], $3::text[]) as wanted (account_id, grant_id)
cross join lateral (
    select
        account_id, grant_id, source, sold_at, currency, cost, amount, spent, expired, taken, refunded,
        used_and_refunded
    from read.deferred_lots_vN
    where shard = $1 and account_id = wanted.account_id and grant_id = wanted.grant_id
    limit 1
) lot
