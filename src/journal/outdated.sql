-- Which preconditions do not hold? An account ($2) has an event after its nth ($3), or the key ($4) or generation ($5)
-- is taken.
--
-- With the limit, each needs one or two look-ups in an index, whatever the statistics of the table are.
select claim.number
from unnest($2::text[], $3::bigint[], $4::uuid[], $5::text[]) with ordinality
    as claim (id, sequence, key, generation, number)
cross join lateral (
    select from ledger.events e
    where e.shard = $1 and e.aggregate_id = claim.id and e.sequence = claim.sequence + 1
    union all
    select from ledger.events e
    where
        e.shard = $1 and hashtext(e.aggregate_id) = hashtext(claim.id)
        and coalesce(e.key_digest, ledger.key_digest(e.aggregate_id, e.idempotency_key)) = claim.key
    union all
    select from ledger.events e
    where e.shard = $1 and e.aggregate_id = claim.id and e.generation = claim.generation
    limit 1
) as against
