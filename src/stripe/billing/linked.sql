-- Whether a customer stands for another account already.
select exists (select from ledger.stripe_links where customer = $1 and account <> $2)
