-- What was refunded, the newest first, page by page?
select account_id, refund, payment, refunded_at, minor, currency, failed
from read.refunds
where (refunded_at, account_id, refund) < ($1, $2, $3)
order by refunded_at desc, account_id desc, refund desc
limit $4
