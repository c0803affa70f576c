-- Was there a comparison this night?
select exists (select from ledger.stripe_reconciliations where night = $1)
