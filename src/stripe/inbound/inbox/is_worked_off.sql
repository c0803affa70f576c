-- Were all events handled that arrived by a time?
select not exists (select from ledger.stripe_inbox where state = 'received' and received_at <= $1)
