-- Where does the nth block end, and what is its hash?
select last_position, hash from ledger.blocks where shard = $1 and block = $2
