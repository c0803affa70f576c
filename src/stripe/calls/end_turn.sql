-- Ends the turn of a sale to an account.
delete from ledger.sale_turns where account = $1 and token = $2
