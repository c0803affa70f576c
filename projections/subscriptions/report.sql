-- Adds a report on a subscription.
insert into read.subscription_reports_vN (
    shard, account_id, subscription, sequence, position, event, effective_at, recorded_at,
    ended, reported_at, rank, evidence_id, late, stripe_event, terms
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
