-- Claims calls that are due to be followed up. A claim lasts for a while, longer each time.
with due as (
    select account, operation, idempotency_key
    from ledger.stripe_calls
    where state = 'open' and resolve_at <= $1
    order by resolve_at
    limit $2
    for update skip locked
)
update ledger.stripe_calls as call
set resolve_at = $1 + least(interval '1 hour', interval '1 minute' * power(2, least(call.resolvings, 10))),
    resolvings = call.resolvings + 1
from due
where call.account = due.account and call.operation = due.operation
    and call.idempotency_key = due.idempotency_key
returning call.account, call.operation, call.idempotency_key
