//! API calls: one credit is one call, what cannot be paid for is answered 402, and a fixed amount rolls over.

use serde_json::json;

use crate::support::database::TestDatabase;

use super::{Books, DECLINED, FAILS_LATER, Shop, VISA, shop::Sold};

const PRO: Sold<'_> = Sold::Plan { price: "price_sandbox_pro_month", trial_days: 0 };
const THOUSAND: Sold<'_> =
    Sold::Pack { code: "credits_1000", price: "price_sandbox_credits_1000", quantity: 1 };

#[tokio::test]
async fn localboxs_from_the_first_free_call_to_the_end_of_the_subscription() {
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database, "localboxs.toml", &[]).await;
    // 100 each month.
    let books = Books { available: 100, debt: 0, plan: "free", status: "", mrr: 0, paid: &[] };
    shop.agrees("signed up", &books).await;

    shop.deduct(99).await;
    shop.spend("api_call", json!({}), 1).await;
    shop.refused("api_call", 402, "insufficient_credits").await;
    let books = Books { available: 0, ..books };
    shop.agrees("made all free calls", &books).await;

    shop.declined(&PRO, DECLINED, "Your card was declined.").await;
    shop.agrees("was declined", &books).await;
    shop.buy(&PRO, VISA).await;
    let books =
        Books { available: 20_000, plan: "pro", status: "active", mrr: 1_900, paid: &[1_900], ..books };
    shop.agrees("subscribed to pro", &books).await;

    shop.spend("api_call", json!({}), 1).await;
    shop.deduct(3_999).await;
    let books = Books { available: 16_000, ..books };
    shop.agrees("made calls", &books).await;

    // Of the 16,000, 5,000 are carried over, and 20,000 come.
    shop.renew().await;
    let books = Books { available: 25_000, paid: &[1_900, 1_900], ..books };
    shop.agrees("renewed", &books).await;

    shop.buy(&THOUSAND, VISA).await;
    let topped_up = shop.last_payment().await;
    let books = Books { available: 26_000, ..books };
    shop.agrees("bought a pack", &books).await;

    // For half a month: (60,000 − 20,000) ÷ 2 more; 49.00 ÷ 2 less 19.00 ÷ 2.
    shop.change_plan("price_sandbox_pro_plus_month", 2).await;
    let books =
        Books { available: 46_000, plan: "pro_plus", mrr: 4_900, paid: &[1_900, 1_900, 1_500], ..books };
    shop.agrees("changed to pro plus", &books).await;

    // A quarter is left: 40,000 ÷ 4 less; 19.00 ÷ 4 less 49.00 ÷ 4.
    shop.change_plan("price_sandbox_pro_month", 3).await;
    let books =
        Books { available: 36_000, plan: "pro", mrr: 1_900, paid: &[1_900, 1_900, 1_500, -750], ..books };
    shop.agrees("changed back to pro", &books).await;

    // What is left of the month can be spent while the next one is not paid: 30,000, and the 5,000 that were carried
    // into it; and the pack.
    shop.use_card(FAILS_LATER).await;
    shop.renew().await;
    let books = Books { status: "past_due", ..books };
    shop.agrees("could not pay", &books).await;

    // 20,000 + 20,000 − 10,000 were not spent in the month before: 5,000 are carried over, and 20,000 come.
    shop.use_card("pm_card_visa").await;
    shop.pay_open_invoice().await;
    let paid = &[1_900, 1_900, 1_500, -750, 1_900];
    let books = Books { available: 26_000, status: "active", paid, ..books };
    shop.agrees("paid with another card, within the grace", &books).await;

    // 7.50 of the 19.00 were paid by the balance. Half of the other 11.50 goes back: 5.75 of 19.00 in all, so 6,052 of
    // the 20,000, floored.
    let month = shop.last_payment().await;
    shop.refund(&month, 575).await;
    let books = Books { available: 19_948, ..books };
    shop.agrees("got half of a month back", &books).await;

    // The month's 13,948 and the 5,000 that were carried are spent first; then 500 of the pack.
    shop.deduct(19_448).await;
    let books = Books { available: 500, ..books };
    shop.agrees("made many calls", &books).await;
    let dispute = shop.dispute(&topped_up).await;
    let books = Books { available: 0, ..books };
    shop.agrees("disputed the pack", &books).await;
    shop.refused("api_call", 402, "insufficient_credits").await;
    // What was spent of it is owed.
    shop.lose(&dispute).await;
    let books = Books { debt: 500, ..books };
    shop.agrees("won against the shop", &books).await;

    shop.cancel_at_period_end().await;
    shop.agrees("cancelled, for the end of the period", &books).await;
    // The free plan gives 100 again, which pay a part of what is owed.
    shop.renew().await;
    let books = Books { debt: 400, plan: "free", status: "canceled", mrr: 0, ..books };
    shop.agrees("is on the free plan again", &books).await;
    shop.audit().await;
}
