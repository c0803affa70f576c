-- What was refunded of these deductions ($3), and what was the account's last event when this was read?
-- There is a row without an event if nothing was refunded.
--
-- The offset keeps them from being looked for among all refunds of the account.
select
    last.until, e.position, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text as payload,
    e.metadata::text as metadata, e.recorded_at
from (
    select sequence as until
    from ledger.events
    where shard = $1 and aggregate_id = $2
    order by sequence desc
    limit 1
) as last
left join (
    select refund.*
    from unnest($3::text[]) as wanted (id)
    cross join lateral (
        select *
        from ledger.events
        where shard = $1 and aggregate_id = $2
            and event_type = 'CreditsRefunded' and payload #>> '{CreditsRefunded,deduction_id}' = wanted.id
        offset 0
    ) as refund
) as e on true
