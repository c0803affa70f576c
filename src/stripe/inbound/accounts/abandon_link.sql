-- A command by which a customer ($1) was to become an account's ($2) did nothing. The last one ends what was begun.
with ended as (
    delete from ledger.stripe_links_begun where customer = $1 and account = $2 and commands <= 1
)
update ledger.stripe_links_begun set commands = commands - 1 where customer = $1 and account = $2 and commands > 1
