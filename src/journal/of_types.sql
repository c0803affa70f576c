-- Which events of these types ($4) are after one position and up to another?
select
    e.position, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text as payload,
    e.metadata::text as metadata, e.recorded_at
from ledger.events e
where e.shard = $1 and e.position > $2 and e.position <= $3 and e.event_type = any ($4)
order by e.position
