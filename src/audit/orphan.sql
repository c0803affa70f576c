-- Which account has events, but no first event?
select e.aggregate_id, min(e.position) as position
from ledger.events e
where e.shard = $1 and not exists (
    select from ledger.events first
    where first.shard = $1 and first.aggregate_id = e.aggregate_id and first.sequence = 1
)
group by e.aggregate_id
order by 2
limit 1
