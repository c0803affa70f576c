-- Claims due events ($1: now) of at most $2 parties, at most $3 in all, and locks them until the transaction ends:
-- those for which Stripe is asked, or the others ($4).
--
-- The instance that locks a party's oldest due event has the party: other instances skip it, and do not take a later
-- event for the oldest. So each party's events are handled in the order of arrival.
with heads as materialized (
    select head.party
    from ledger.stripe_inbox as head
    where (head.state = 'received' or (head.state = 'waiting' and head.next_attempt_at <= $1))
      and head.asks = $4
      and not exists (
        select from ledger.stripe_inbox as earlier
        where earlier.party = head.party
          and earlier.arrival < head.arrival
          and earlier.asks = $4
          and (earlier.state = 'received' or (earlier.state = 'waiting' and earlier.next_attempt_at <= $1))
      )
    order by head.arrival
    limit $2
    for update of head skip locked
)
select due.event_id, due.party, due.body, due.attempts
from heads
join ledger.stripe_inbox as due using (party)
where (due.state = 'received' or (due.state = 'waiting' and due.next_attempt_at <= $1))
  and due.asks = $4
order by due.arrival
limit $3
for update of due
