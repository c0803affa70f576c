-- Which is the newest event of these types ($2) about an object?
select event_id, created_at, state, reason
from ledger.stripe_inbox
where object = $1 and event_type = any ($2)
order by created_at desc, arrival desc
limit 1
