-- Claims calls that are due to be followed up. A claim lasts for so many seconds ($3): the first number at the first
-- claim, the second at the second, and the last one from then on.
with due as (
    select account, operation, idempotency_key
    from ledger.stripe_calls
    where state = 'open' and resolve_at <= $1
    order by resolve_at
    limit $2
    for update skip locked
)
update ledger.stripe_calls as call
set resolve_at = $1 + make_interval(secs => ($3::bigint[])[least(call.resolvings + 1, cardinality($3::bigint[]))]),
    resolvings = call.resolvings + 1
from due
where call.account = due.account and call.operation = due.operation
    and call.idempotency_key = due.idempotency_key
returning call.account, call.operation, call.idempotency_key
