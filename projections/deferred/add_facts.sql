-- Adds events about the money of subscriptions.
copy read.deferred_facts_vN (shard, account_id, sequence, event) from stdin (format binary)
