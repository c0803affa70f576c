-- Lets an account wait from an event on that cannot be handled.
insert into read.parked (projection, version, shard, account_id, position, reason, parked_at)
values ($1, $2, $3, $4, $5, $6, $7)
