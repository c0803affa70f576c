-- What is known of these coupons, discounts and customers?
select id, coupon from ledger.stripe_coupons where id = any ($1)
