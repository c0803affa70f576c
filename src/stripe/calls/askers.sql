-- Who requested the calls with these keys?
select found.*
from unnest($1::text[]) wanted (stripe_key)
cross join lateral (
    select stripe_key, actor
    from ledger.stripe_calls call
    where call.stripe_key = wanted.stripe_key and actor is not null
    offset 0
) found
