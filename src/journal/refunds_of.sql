-- What was refunded of these deductions ($3), and what was the account's last event when this was read?
-- There is a row without an event if nothing was refunded.
--
-- Only the index `events_refunds` fits the conditions.
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
        where shard = $1 and starts_with(event_type, 'CreditsRefunded')
            and aggregate_id || ' ' || (payload #>> '{CreditsRefunded,deduction_id}') = $2 || ' ' || wanted.id
        offset 0
    ) as refund
) as e on true
