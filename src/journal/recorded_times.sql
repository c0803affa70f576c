-- When were the events after one position and up to another recorded?
select e.recorded_at
from ledger.events e
where e.shard = $1 and e.position > $2 and e.position <= $3
order by e.position
