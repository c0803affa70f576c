-- What was paid, the newest first, page by page?
--
-- The index is scanned once for each kind, so that only the rows of the page are read.
select page.*, linked.payments
from (
    select found.*
    from unnest($1::text[]) wanted (kind)
    cross join lateral (
        select account_id, paid, kind, paid_at, minor, currency, subscription, plan, pack, quantity
        from read.payments payment
        where payment.kind = wanted.kind and (paid_at, account_id, paid) < ($2, $3, $4)
        order by paid_at desc, account_id desc, paid desc
        limit $5
    ) found
    order by paid_at desc, account_id desc, paid desc
    limit $5
) page
left join lateral (
    select coalesce(array_agg(payment order by payment), '{}') as payments
    from read.payment_links link
    where link.account_id = page.account_id and link.invoice = page.paid
) linked on true
order by paid_at desc, account_id desc, paid desc
