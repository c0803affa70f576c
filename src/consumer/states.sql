-- Which checkpoints of these consumers ($1) have stopped, or were changed by others than who follows?
select projection, version, shard, parks, stopped is not null as is_stopped
from read.checkpoints
where projection = any($1) and (parks > 0 or stopped is not null)
