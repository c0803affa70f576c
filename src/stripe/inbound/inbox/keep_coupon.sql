-- Stores the terms of a coupon, a discount or a customer, unless newer ones are stored.
insert into ledger.stripe_coupons as known (id, coupon, told_at)
values ($1, $2, $3)
on conflict on constraint stripe_coupons_id do update
set coupon = excluded.coupon, told_at = excluded.told_at
where excluded.told_at >= known.told_at
