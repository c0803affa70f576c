-- Deletes the deadlines of an account that were handled, where readers see them.
delete from read.deadlines_vN where shard = $1 and account_id = $2 and due_at <= $3
