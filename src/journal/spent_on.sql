-- What was spent on a generation, the newest first? Its own texts are from $3 up to $4.
--
-- The offset keeps the order from choosing the index.
select
    e.position, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text as payload,
    e.metadata::text as metadata, e.recorded_at
from (
    select *
    from ledger.events
    where shard = $1 and aggregate_id = $2 and generation >= $3 and generation < $4
    offset 0
) as e
where e.event_type in ('CreditsDeducted', 'HoldCommitted', 'HoldSpent')
order by e.sequence desc
limit $5
