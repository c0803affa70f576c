-- Stores the newest report on a subscription.
insert into read.account_plans_vN as known (
    shard, account_id, subscription, plan, status, gives_access, ended, reported_at, rank, evidence_id
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (shard, account_id, subscription) do update set
    plan = excluded.plan,
    status = excluded.status,
    gives_access = excluded.gives_access,
    ended = excluded.ended,
    reported_at = excluded.reported_at,
    rank = excluded.rank,
    evidence_id = excluded.evidence_id
where (excluded.ended, excluded.reported_at, excluded.rank, excluded.evidence_id)
    > (known.ended, known.reported_at, known.rank, known.evidence_id)
