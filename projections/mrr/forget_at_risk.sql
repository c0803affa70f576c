-- Deletes the subscriptions at risk of an account, which are then written again.
delete from read.mrr_at_risk_vN where shard = $1 and account_id = $2
