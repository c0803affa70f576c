-- Stores what a price id means.
insert into ledger.price_ids (price_id, plan, pack, interval, minor, currency, seen_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (price_id) do update set
    plan = excluded.plan,
    pack = excluded.pack,
    interval = excluded.interval,
    minor = excluded.minor,
    currency = excluded.currency,
    seen_at = excluded.seen_at
