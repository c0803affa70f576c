-- Removes the spans of an account, which are computed again.
delete from read.deferred_spans_vN where shard = $1 and account_id = $2
