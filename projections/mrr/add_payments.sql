copy read.mrr_payments_vN (account_id, sequence, subscription, paid, effective_at, stripe_event) from stdin (format binary)
