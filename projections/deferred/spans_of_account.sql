-- Over which times is the money of an account's subscriptions earned? From the one after `$3` on.
select number, currency, minor, period_start, period_end, since, until
from read.deferred_spans
where shard = $1 and account_id = $2 and number > $3
order by number
limit $4
