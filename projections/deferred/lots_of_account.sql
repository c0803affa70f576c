-- Which lots of credits did an account pay for, and what became of them? By grant, from the one after `$3` on.
select grant_id, source, sold_at, currency, cost, amount, spent, expired, taken, refunded, used_and_refunded
from read.deferred_lots
where shard = $1 and account_id = $2 and grant_id > $3
order by grant_id
limit $4
