-- Begins a call: notes what is asked, before it is asked.
--
-- Nothing where the key is taken: whoever took it has written what is asked.
insert into ledger.stripe_calls
    (account, operation, idempotency_key, stripe_key, asked, request, state, begun_at, changed_at, asked_at, resolve_at,
     actor)
values ($1, $2, $3, $4, $5, $6, 'untouched', $7, $7, $7, $7, $8)
on conflict on constraint stripe_calls_key do nothing
