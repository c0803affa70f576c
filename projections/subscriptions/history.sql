select subscription, sequence, position, event, effective_at, recorded_at, late, stripe_event,
    lag(terms) over timeline as before,
    terms as after
from read.subscription_reports
where account_id = $1 and ($2::text is null or subscription = $2)
window timeline as (partition by subscription order by ended, reported_at, rank, evidence_id, sequence)
order by subscription, ended, reported_at, rank, evidence_id, sequence
