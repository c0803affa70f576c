-- Which accounts have this attached, with this status?
--
-- The bounds are rows of the index, as in `by_status.sql`.
select shard, account_id, opened_at
from read.account_metadata
where (name, value, status) >= ($5, $6, $1)
    and (name, value, status, opened_at, account_id) < ($5, $6, $1, $2, $3)
order by name desc, value desc, status desc, opened_at desc, account_id desc
limit $4
