-- Adds days that were over when a report changed them.
copy read.mrr_restatements_vN (
    shard, position, account_id, currency, day, recorded_at, stripe_event, kind_before, change_before, kind_after,
    change_after
) from stdin (format binary)
