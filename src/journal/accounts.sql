-- Which accounts have a first event, after one of them in the order of ids?
select aggregate_id
from ledger.events
where shard = $1 and sequence = 1 and aggregate_id > $2
order by aggregate_id
limit $3
