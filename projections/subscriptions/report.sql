insert into read.subscription_reports_vN (
    account_id, subscription, sequence, position, event, effective_at, recorded_at,
    ended, reported_at, rank, evidence_id, late, stripe_event, terms
)
select
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
    exists (
        select from read.subscriptions_vN known
        where known.account_id = $1 and known.subscription = $2
            and (known.ended, known.reported_at, known.rank, known.evidence_id)
                > ($8, $9, $10::smallint, $11::text collate "C")
    ),
    $12, $13
