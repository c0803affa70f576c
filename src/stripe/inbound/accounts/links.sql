-- Which accounts do these customers stand for?
select customer, account from ledger.stripe_links where customer = any ($1)
