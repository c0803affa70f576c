-- Where does a shard say that it ends?
select position, block, hash from ledger.heads where shard = $1
