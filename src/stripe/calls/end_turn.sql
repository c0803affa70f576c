-- Ends an account's turn to be sold to.
delete from ledger.sale_turns where account = $1 and token = $2
