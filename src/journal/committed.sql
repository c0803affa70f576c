-- Which event committed a hold?
select
    e.position, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text as payload,
    e.metadata::text as metadata, e.recorded_at
from ledger.events e
where e.shard = $1 and e.aggregate_id = $2
    and e.event_type = 'HoldCommitted' and e.payload #>> '{HoldCommitted,hold_id}' = $3
limit 1
