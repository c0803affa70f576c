-- Which of an account's events charge, hold or return credits for one generation ($3 to $4, $5), from one sequence to
-- another, at most $9 from one end ($8: the last ones)?
with found as (
    select sequence
    from ledger.events
    where shard = $1 and aggregate_id = $2 and generation >= $3 and generation < $4 and sequence between $6 and $7
    union all
    select sequence
    from ledger.events
    where shard = $1 and aggregate_id = $2 and event_type = 'CreditsRefunded'
        and coalesce(
            payload #>> '{CreditsRefunded,purpose,generation,id}', payload #>> '{CreditsRefunded,purpose,named,id}'
        ) = $5
        and sequence between $6 and $7
), wanted as (
    select sequence from found order by case when $8 then -sequence else sequence end limit $9
)
select
    e.position, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text, e.metadata::text,
    e.recorded_at
from wanted
cross join lateral (
    select * from ledger.events where shard = $1 and aggregate_id = $2 and sequence = wanted.sequence offset 0
) as e
order by e.sequence
