-- Adds subscriptions of accounts that are past due, or set to end, and still count.
copy read.mrr_at_risk_vN (
    shard, account_id, subscription, currency, mrr, past_due, cancel_at, since
) from stdin (format binary)
