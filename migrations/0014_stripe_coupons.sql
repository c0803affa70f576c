-- What discounts take off, for events that only have their ids: by the id of a discount, of its coupon, or of the customer that
-- has one (null: it has none). It can be asked of Stripe again.

create table ledger.stripe_coupons (
    id text not null,
    coupon jsonb not null,
    told_at timestamptz not null,
    constraint stripe_coupons_id primary key (id)
);
