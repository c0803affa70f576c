//! Free, one-time and subscription side by side: a pack whose quantity counts, and a plan by the month or the year.

use serde_json::json;

use crate::support::database::TestDatabase;

use super::{Books, DAY_S, DECLINED, FAILS_LATER, Shop, VISA, shop::Sold};

const PREMIUM: Sold<'_> = Sold::Plan { price: "price_test_premium_month", trial_days: 0 };

fn packs(quantity: u32) -> Sold<'static> {
    Sold::Pack { code: "standard_pack", price: "price_test_standard_pack", quantity }
}

#[tokio::test]
async fn guide_from_the_free_tier_to_a_year_and_back() {
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database, "guide.toml", &[]).await;
    // 10 each month.
    let books = Books { available: 10, debt: 0, plan: "free_tier", status: "", mrr: 0, paid: &[] };
    shop.agrees("signed up", &books).await;

    // 1 + 2 for large, three times, which is the day's limit.
    for _ in 0..3 {
        shop.spend("render", json!({ "size": "large" }), 3).await;
    }
    shop.refused("render", 429, "limit_reached").await;
    let books = Books { available: 1, ..books };
    shop.agrees("reached the free tier's limit", &books).await;

    shop.declined(&packs(3), DECLINED, "Your card was declined.").await;
    shop.agrees("was declined", &books).await;
    // 3 × 100, for nothing a month.
    shop.buy(&packs(3), VISA).await;
    let three_packs = shop.last_payment().await;
    let books = Books { available: 301, ..books };
    shop.agrees("bought three packs", &books).await;

    shop.buy(&PREMIUM, VISA).await;
    let books =
        Books { available: 601, plan: "premium_plan", status: "active", mrr: 4_900, paid: &[4_900], ..books };
    shop.agrees("subscribed to premium", &books).await;

    // The last free credit is spent first, since it ends first: 298 of the month are left.
    shop.spend("render", json!({ "size": "large" }), 3).await;
    let books = Books { available: 598, ..books };
    shop.agrees("rendered", &books).await;

    // 298 are carried over, since 298 + 300 ≤ 600; 300 come, and the packs' 300 stay.
    shop.renew().await;
    let books = Books { available: 898, paid: &[4_900, 4_900], ..books };
    shop.agrees("renewed", &books).await;

    shop.use_card(FAILS_LATER).await;
    shop.renew().await;
    let books = Books { available: 300, status: "past_due", ..books };
    shop.agrees("could not pay", &books).await;
    // Back on the free tier after three days, with its 10.
    let (start, _) = shop.period().await;
    shop.wait_until(start + 4 * DAY_S).await;
    let books = Books { available: 310, plan: "free_tier", ..books };
    shop.agrees("did not pay for three days", &books).await;

    // The 300 of the month before are carried over, and 300 come.
    shop.use_card("pm_card_visa").await;
    shop.pay_open_invoice().await;
    let books = Books {
        available: 910,
        plan: "premium_plan",
        status: "active",
        paid: &[4_900, 4_900, 4_900],
        ..books
    };
    shop.agrees("paid with another card", &books).await;

    // One of three packs: 29.00 of 87.00.
    shop.refund(&three_packs, 2_900).await;
    let books = Books { available: 810, ..books };
    shop.agrees("gave one pack back", &books).await;

    shop.buy(&packs(1), VISA).await;
    let disputed = shop.last_payment().await;
    shop.agrees("bought another pack", &Books { available: 910, ..books }).await;
    let dispute = shop.dispute(&disputed).await;
    shop.agrees("disputed it", &books).await;
    shop.lose(&dispute).await;
    shop.agrees("won against the shop", &books).await;

    // A year begins at once, with its first 300: 490.00 less half of 49.00; 490.00 ÷ 12 = 40.83 a month.
    // What is left of the half month that was given back goes with it: 150.
    shop.change_plan("price_test_premium_year", 2).await;
    let books = Books { available: 960, mrr: 4_083, paid: &[4_900, 4_900, 4_900, 46_550], ..books };
    shop.agrees("changed to a year", &books).await;

    // The other months' credits have ended; of the year's first month 300 are carried into the second, with its 300.
    let (start, _) = shop.period().await;
    shop.wait_until(start + 32 * DAY_S).await;
    let books = Books { available: 800, ..books };
    shop.agrees("is in the year's second month", &books).await;

    shop.cancel_in_the_portal().await;
    shop.agrees("cancelled, for the end of the year", &books).await;
    // The packs' 200 stay, and the free tier gives 10.
    shop.renew().await;
    let books = Books { available: 210, plan: "free_tier", status: "canceled", mrr: 0, ..books };
    shop.agrees("is on the free tier again", &books).await;
    shop.audit().await;
}
