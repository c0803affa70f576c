-- The due events ($1: now) of at most $2 parties, at most $3 in all, locked until the transaction ends: those that
-- Stripe is asked about, or the others ($4).
--
-- Whoever locks a party's oldest due event has the party: a second instance passes over it, and does not see a later
-- event as the oldest while the first is at work. So each party's events are handled in the order of arrival.
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
