-- Where does a shard's head say that the journal ends?
select position, block, hash from ledger.heads where shard = $1
