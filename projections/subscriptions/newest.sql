-- What does the newest report on a subscription say?
select report.terms
from read.subscription_reports_vN report
join read.subscriptions_vN known using (shard, account_id, subscription, ended, reported_at, rank)
where shard = $1 and account_id = $2 and subscription = $3
order by report.sequence
