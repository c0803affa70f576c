-- Whether another call of the operation is under way: asked and not answered, or just written down.
select exists (
    select 1
    from ledger.stripe_calls
    where account = $1 and operation = $2 and idempotency_key <> $3
        and (state = 'open' or (state = 'untouched' and begun_at > $4))
)
