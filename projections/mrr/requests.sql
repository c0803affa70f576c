-- Which cancellations were requested of subscriptions of these accounts ($2) of a shard, and withdrawn?
select request.*
from unnest($2::text[]) wanted (account_id)
cross join lateral (
    select account_id, sequence, subscription, withdrawn, effective_at
    from read.mrr_requests_vN known
    where known.shard = $1 and known.account_id = wanted.account_id
    offset 0
) request
order by request.account_id, request.sequence
