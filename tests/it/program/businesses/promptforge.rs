//! Plans of an organisation: a trial with credits of its own, a rolling limit, and one and a half months of rollover.

use serde_json::json;

use crate::support::database::TestDatabase;

use super::{Books, DAY_S, DECLINED, FAILS_LATER, Shop, VISA, shop::Sold};

const SETTINGS: [(&str, &str); 6] = [
    ("STRIPE_PILOT_MONTHLY_PRICE_ID", "price_pilot_month"),
    ("STRIPE_PILOT_ANNUAL_PRICE_ID", "price_pilot_year"),
    ("STRIPE_PRO_MONTHLY_PRICE_ID", "price_pro_month"),
    ("STRIPE_PRO_ANNUAL_PRICE_ID", "price_pro_year"),
    ("STRIPE_ENTERPRISE_MONTHLY_PRICE_ID", "price_enterprise_month"),
    ("STRIPE_ENTERPRISE_ANNUAL_PRICE_ID", "price_enterprise_year"),
];
const TRIAL_OF_PRO: Sold<'_> = Sold::Plan { price: "price_pro_month", trial_days: 14 };

#[tokio::test]
async fn promptforge_from_the_trial_to_the_end_of_the_subscription() {
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database, "promptforge.toml", &SETTINGS).await;
    let books = Books { available: 0, debt: 0, plan: "none", status: "", mrr: 0, paid: &[] };
    shop.agrees("signed up", &books).await;
    shop.refused("prompt_run", 402, "insufficient_credits").await;
    shop.refused("evaluation", 403, "feature_not_in_plan").await;

    shop.declined(&TRIAL_OF_PRO, DECLINED, "Your card was declined.").await;
    shop.agrees("was declined", &books).await;
    // The trial has credits of its own, and brings in nothing.
    shop.buy(&TRIAL_OF_PRO, VISA).await;
    let books = Books { available: 1_000, plan: "pro", status: "trialing", paid: &[0], ..books };
    shop.agrees("tries pro", &books).await;

    // 20 + 150 for a hundred cases = 170, less 5 % = 161.5, rounded up.
    shop.spend("evaluation", json!({ "cases": "hundred" }), 162).await;
    let books = Books { available: 838, ..books };
    shop.agrees("evaluated a prompt", &books).await;

    // The trial's credits end with it.
    shop.renew().await;
    let books = Books { available: 10_000, status: "active", mrr: 9_900, paid: &[0, 9_900], ..books };
    shop.agrees("stayed after the trial", &books).await;

    // 24 × 162 = 3,888, and one more would be more than the day's 4,000.
    for _ in 0..24 {
        shop.spend("evaluation", json!({ "cases": "hundred" }), 162).await;
    }
    let (status, body) = shop.try_to_spend("evaluation", json!({ "cases": "hundred" })).await;
    assert_eq!((status, &body["code"]), (429, &json!("limit_reached")), "{body:#}");
    let books = Books { available: 6_112, ..books };
    shop.agrees("reached the day's limit", &books).await;

    // Half a month is carried over at most.
    shop.renew().await;
    let books = Books { available: 15_000, paid: &[0, 9_900, 9_900], ..books };
    shop.agrees("renewed", &books).await;

    // For half a month: (60,000 − 10,000) ÷ 2 more; 499.00 ÷ 2 less 99.00 ÷ 2.
    shop.change_plan("price_enterprise_month", 2).await;
    let paid = &[0, 9_900, 9_900, 20_000];
    let books = Books { available: 40_000, plan: "enterprise", mrr: 49_900, paid, ..books };
    shop.agrees("changed to enterprise", &books).await;

    // 170 less 15 % = 144.5, rounded up.
    shop.spend("evaluation", json!({ "cases": "hundred" }), 145).await;
    let books = Books { available: 39_855, ..books };
    shop.agrees("evaluated for less", &books).await;

    // A quarter is left: 50,000 ÷ 4 less; 99.00 ÷ 4 less 499.00 ÷ 4.
    shop.change_plan("price_pro_month", 3).await;
    let paid = &[0, 9_900, 9_900, 20_000, -10_000];
    let books = Books { available: 27_355, plan: "pro", mrr: 9_900, paid, ..books };
    shop.agrees("changed back to pro", &books).await;

    // The 100.00 that were given back pay for a whole month.
    shop.renew().await;
    let paid = &[0, 9_900, 9_900, 20_000, -10_000, 9_900];
    let books = Books { available: 15_000, paid, ..books };
    shop.agrees("renewed, and paid by the balance", &books).await;

    // All of it can be spent while the next month is not paid.
    shop.use_card(FAILS_LATER).await;
    shop.renew().await;
    let books = Books { status: "past_due", ..books };
    shop.agrees("could not pay", &books).await;
    let (start, _) = shop.period().await;
    shop.wait_until(start + 4 * DAY_S).await;
    let books = Books { available: 0, plan: "none", ..books };
    shop.agrees("did not pay for three days", &books).await;

    // Of the month before, all 10,000 were left when it ended: 5,000 are carried over, and 10,000 come.
    shop.use_card("pm_card_visa").await;
    shop.pay_open_invoice().await;
    let paid = &[0, 9_900, 9_900, 20_000, -10_000, 9_900, 9_900];
    let books = Books { available: 15_000, plan: "pro", status: "active", paid, ..books };
    shop.agrees("paid with another card", &books).await;

    // The last 1.00 of the balance paid too. A quarter of the other 98.00 goes back: 24.50 of 99.00 in all, so 2,474 of
    // the 10,000, floored.
    let month = shop.last_payment().await;
    shop.refund(&month, 2_450).await;
    let books = Books { available: 12_526, ..books };
    shop.agrees("got a quarter of a month back", &books).await;

    // All of that month is frozen; what was carried into it was bought by another payment.
    let dispute = shop.dispute(&month).await;
    let books = Books { available: 5_000, ..books };
    shop.agrees("disputed the month", &books).await;
    // 98.00 of 99.00 are gone, and with them 9,898 of the 10,000: the balance's 1.00 keeps 102, and the plan.
    shop.lose(&dispute).await;
    let books = Books { available: 5_102, ..books };
    shop.agrees("won against the shop", &books).await;

    shop.cancel_in_the_portal().await;
    shop.agrees("cancelled, for the end of the period", &books).await;
    shop.renew().await;
    let books = Books { available: 0, plan: "none", status: "canceled", mrr: 0, ..books };
    shop.agrees("has no plan again", &books).await;
    shop.audit().await;
}
