-- How many calls have an unknown outcome, and for how many seconds has the oldest had one?
select count(*), coalesce(extract(epoch from $1 - min(asked_at)), 0)::bigint
from ledger.stripe_calls
where state = 'open'
