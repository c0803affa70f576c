-- Which subscriptions were reported by a time ($2), after one of them in the order of ids?
select distinct subscription
from ledger.stripe_reports
where subscription > $1 and known_at <= $2
order by subscription
limit $3
