-- Is nothing that came until then about to be handled?
select not exists (select from ledger.stripe_inbox where state = 'received' and received_at <= $1)
