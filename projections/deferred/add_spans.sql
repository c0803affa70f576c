-- Adds spans of money that is earned evenly.
copy read.deferred_spans_vN (
    shard, account_id, number, currency, minor, period_start, period_end, since, until
) from stdin (format binary)
