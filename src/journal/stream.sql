-- Which events of an account come after its nth?
select
    e.position, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text as payload,
    e.metadata::text as metadata, e.recorded_at
from ledger.events e
where e.shard = $1 and e.aggregate_id = $2 and e.sequence > $3
order by e.sequence
limit $4
