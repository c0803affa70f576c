-- Abandons the reservation of a customer ($1) for an account ($2), if no other command still uses it.
with ended as (
    delete from ledger.stripe_links_begun where customer = $1 and account = $2 and commands <= 1
)
update ledger.stripe_links_begun set commands = commands - 1 where customer = $1 and account = $2 and commands > 1
