-- Where does the order of each shard end now?
select shard, position from ledger.heads order by shard
