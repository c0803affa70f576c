-- Which blocks does a shard have?
select block, first_position, last_position, root, hash from ledger.blocks where shard = $1 order by block
