-- What does the newest report on a subscription say?
select report.terms
from read.subscription_reports_vN report
join read.subscriptions_vN known using (account_id, subscription, ended, reported_at, rank)
where account_id = $1 and subscription = $2
order by report.sequence
