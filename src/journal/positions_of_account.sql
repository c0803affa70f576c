-- At which positions are an account's events, from one position up to another?
select position
from ledger.events
where shard = $1 and aggregate_id = $2 and position between $3 and $4
order by sequence
limit $5
