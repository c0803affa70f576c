-- Adds which invoices were paid, and which were not.
copy read.mrr_payments_vN (
    shard, account_id, sequence, subscription, state, effective_at, stripe_event
) from stdin (format binary)
