-- Which reports on revenue do these accounts ($2) of a shard have?
select report.*
from unnest($2::text[]) wanted (account_id)
cross join lateral (
    select account_id, sequence, subscription, currency, monthly, ended, reported_at, rank, evidence_id, effective_at,
        stripe_event, step_from, step_to, undiscounted, standing, cancel_at
    from read.mrr_reports_vN known
    where known.shard = $1 and known.account_id = wanted.account_id
    offset 0
) report
order by report.account_id, report.sequence
