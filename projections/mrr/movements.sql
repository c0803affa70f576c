-- Which movements were there on some days, page by page?
select account_id, currency, day, kind, before, after, sequence, stripe_event, subscription
from read.mrr_movements
where day >= $1 and day < $2
    and ($3::text is null or account_id = $3)
    and ($4::text is null or kind = $4)
    and (day, account_id, currency) > ($5, $6, $7)
order by day, account_id, currency
limit $8
