-- How many events are in each of these states?
select state, (select count(*) from ledger.stripe_inbox as event where event.state = open.state)
from unnest($1::text[]) as open (state)
