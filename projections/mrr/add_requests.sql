-- Adds requests to cancel a subscription, and that it goes on after all.
copy read.mrr_requests_vN (
    shard, account_id, sequence, subscription, withdrawn, effective_at
) from stdin (format binary)
