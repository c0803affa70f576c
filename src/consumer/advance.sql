-- Moves a checkpoint on, if it still is where it was read ($4, $5). Whether the commit waits for the disk: $7.
update read.checkpoints set position = $6, stopped = null
where projection = $1 and version = $2 and shard = $3 and position = $4 and parks = $5
returning set_config(
    'synchronous_commit', case when $7 then current_setting('synchronous_commit') else 'off' end, true
)
