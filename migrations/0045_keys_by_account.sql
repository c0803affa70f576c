-- The keys of one account are beside each other in their index. By the digest alone, each event changed another page of
-- an index that is larger than memory, and each page that changes is logged as a whole after a checkpoint.
-- The number of an account (as indexes of the type `hash` have it) takes no room: it is where nothing was.
drop index ledger.events_key;
create unique index events_key on ledger.events (
    shard, hashtext(aggregate_id), coalesce(key_digest, ledger.key_digest(aggregate_id, idempotency_key))
) where coalesce(key_digest, ledger.key_digest(aggregate_id, idempotency_key)) is not null;
