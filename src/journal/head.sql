-- Where does a shard's order end now?
select position from ledger.heads where shard = $1
