-- Stores a subscription's newest report.
insert into read.subscriptions_vN (
    shard, account_id, subscription, ended, reported_at, rank, evidence_id, effective_at, position, status, plan, terms
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (shard, account_id, subscription) do update set
    ended = excluded.ended,
    reported_at = excluded.reported_at,
    rank = excluded.rank,
    evidence_id = excluded.evidence_id,
    effective_at = excluded.effective_at,
    position = excluded.position,
    status = excluded.status,
    plan = excluded.plan,
    terms = excluded.terms
