-- Which reports on revenue do these accounts have?
select account_id, sequence, subscription, currency, monthly, ended, reported_at, rank, evidence_id, effective_at,
    stripe_event, step_from, step_to, undiscounted
from read.mrr_reports_vN
where account_id = any ($1)
order by account_id, sequence
