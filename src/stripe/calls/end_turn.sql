delete from ledger.sale_turns where account = $1 and token = $2
