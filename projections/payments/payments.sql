-- What was paid of this kind, the newest first, page by page?
select shard, account_id, paid, kind, paid_at, minor, currency, subscription, plan, pack, quantity
from read.payments
where kind = $1 and (paid_at, account_id, paid) < ($2, $3, $4)
order by paid_at desc, account_id desc, paid desc
limit $5
