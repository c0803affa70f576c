-- How far is one pass of a consumer on a shard? It stays there until the transaction ends.
select position, parks, stopped
from read.checkpoints
where projection = $1 and version = $2 and shard = $3
for update
