-- Which blocks come after the nth?
select block, first_position, last_position, root, hash
from ledger.blocks
where shard = $1 and block > $2
order by block
limit $3
