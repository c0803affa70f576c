-- Which accounts wait, since which event, and why?
select account_id, position, reason, parked_at
from read.parked
where projection = $1 and version = $2 and shard = $3
order by position
