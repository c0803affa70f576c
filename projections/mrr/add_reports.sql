-- Adds reports on revenue.
copy read.mrr_reports_vN (
    shard, account_id, sequence, subscription, currency, monthly, ended, reported_at, rank, evidence_id, effective_at,
    stripe_event, step_from, step_to, undiscounted, standing, cancel_at
) from stdin (format binary)
