-- What is kept of each growth?
select sharding, slots, accounts, shards, positions, blocks, hashes, hash from ledger.shardings order by sharding
