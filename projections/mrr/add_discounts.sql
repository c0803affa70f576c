-- Adds what is known of customers' discounts.
copy read.mrr_discounts_vN (
    shard, account_id, sequence, customer, discount, ended, off, effective_at, stripe_event
) from stdin (format binary)
