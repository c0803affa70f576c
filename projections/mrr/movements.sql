-- Which movements were there on some days, page by page?
select account_id, currency, day, kind, before, after, sequence, stripe_event, subscription, cause
from read.mrr_movements
where day >= $1 and day < $2
    and ($7::text is null or kind = $7)
    and ($8::text is null or currency = $8)
    and ($9::text[] is null or cause = any($9))
    and (day, account_id, currency) > ($3, $4, $5)
order by day, account_id, currency
limit $6
