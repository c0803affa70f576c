-- Tells who listens to a channel ($1) which shards ($2) have new events. What a crash loses of that is found anyway.
select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)
