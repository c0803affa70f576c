-- Adds the movements of accounts.
copy read.mrr_movements_vN (
    shard, account_id, currency, day, kind, before, after, sequence, stripe_event, subscription, until_day,
    cause
) from stdin (format binary)
