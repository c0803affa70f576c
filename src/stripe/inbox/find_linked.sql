-- Which accounts a customer ($1) stands for already.
select account from ledger.stripe_links where customer = $1
