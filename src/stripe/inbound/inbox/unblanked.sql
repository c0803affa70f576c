-- Which documents did an earlier release store whole? They are locked, except those that another instance has.
select event_id, body
from ledger.stripe_inbox
where not blanked
order by arrival
limit $1
for update skip locked
