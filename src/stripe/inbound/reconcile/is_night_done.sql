-- Was this night compared?
select exists (select from ledger.stripe_reconciliations where night = $1)
