-- Which accounts were these payments for?
select payment, account from ledger.stripe_payments where payment = any ($1)
