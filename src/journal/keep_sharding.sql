-- Keeps what there was when a sharding began.
insert into ledger.shardings (
    sharding, slots, accounts, shards, positions, blocks, hashes, hash, began_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
