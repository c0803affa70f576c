-- Begins a call: stores the request before it is sent.
--
-- Returns nothing if the key is taken: then another attempt has stored the request.
insert into ledger.stripe_calls
    (account, operation, idempotency_key, stripe_key, asked, request, state, begun_at, changed_at, asked_at, resolve_at,
     actor)
values ($1, $2, $3, $4, $5, $6, 'untouched', $7, $7, $7, $7, $8)
on conflict on constraint stripe_calls_key do nothing
