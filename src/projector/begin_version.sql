-- Lets a new version begin before the first event of each shard ($3).
insert into read.checkpoints (projection, version, shard, position)
select $1, $2, unnest($3::smallint[]), 0
