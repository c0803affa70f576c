-- What was requested for the subscriptions of an account, and by whom?
--
-- Who requested it is read from the journal itself, with one index look-up for each request.
select request.*, event.actor
from (
    select subscription, sequence, position, requested, requested_at, recorded_at
    from read.subscription_requests
    where account_id = $1 and ($2::text is null or subscription = $2)
) request
cross join lateral (
    select metadata->>'actor' as actor
    from ledger.events
    where shard = $3 and aggregate_id = $1 and ledger.events.sequence = request.sequence
    offset 0
) event
order by request.sequence
