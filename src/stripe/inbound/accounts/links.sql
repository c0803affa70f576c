-- Which accounts are these customers linked to?
select customer, account from ledger.stripe_links where customer = any ($1)
