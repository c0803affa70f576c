-- Which account did each report on these subscriptions name?
select subscription, evidence, account, reported_at, rank, step_from, step_to
from ledger.stripe_reports
where subscription = any ($1)
