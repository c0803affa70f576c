-- How many credits did an account use after one time and until another, less what was refunded, by quarters of an hour?
select least(greatest(coalesce(sum(credits::numeric - credits_refunded), 0), 0), 9223372036854775807)::bigint as used
from read.usage
where shard = $1 and account_id = $2 and quarter > $3 and quarter <= $4
