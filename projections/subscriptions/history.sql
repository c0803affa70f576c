-- What was reported on the subscriptions of an account, and who caused it?
--
-- Who caused it is read from the journal itself, with one index look-up for each report.
select report.*, event.actor
from (
    select subscription, sequence, position, event, effective_at, recorded_at, late, stripe_event, terms
    from read.subscription_reports
    where account_id = $1 and ($2::text is null or subscription = $2)
) report
cross join lateral (
    select metadata->>'actor' as actor
    from ledger.events
    where shard = $3 and aggregate_id = $1 and ledger.events.sequence = report.sequence
    offset 0
) event
order by report.subscription, report.sequence
