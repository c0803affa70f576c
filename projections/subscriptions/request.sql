-- Adds a request for a subscription.
insert into read.subscription_requests_vN (
    shard, account_id, sequence, position, subscription, requested, requested_at, recorded_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8)
