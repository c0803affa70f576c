-- Which of an account's events of some types have a sequence from one number to another?
select position, aggregate_id, sequence, event_type, event_version, payload::text, metadata::text, recorded_at
from ledger.events
where shard = $1 and aggregate_id = $2 and sequence between $3 and $4 and event_type = any ($5)
order by sequence
