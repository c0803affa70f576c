//! Free, one-time and subscription side by side: a pack whose quantity counts, and a plan by the month or the year.

use chrono::{DateTime, Months};
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

    // All of it can be spent while the next month is not paid.
    shop.use_card(FAILS_LATER).await;
    shop.renew().await;
    let books = Books { status: "past_due", ..books };
    shop.agrees("could not pay", &books).await;
    // After three days only the packs are left, and the free tier's 10.
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

    // The month becomes a part of a year, which ends when the anchor's next year does: 490.00 by the share of it that
    // is left, less half of 49.00; 490.00 ÷ 12 = 40.83 a month. The half month that is given back is bought again: 150
    // less, 150 more.
    let (start, end) = shop.period().await;
    shop.change_plan("price_test_premium_year", 2).await;
    let (_, year_end) = shop.period().await;
    let rest = rest_of_the_year(start + (end - start) / 4 * 2, year_end) - 2_450;
    let paid = vec![4_900, 4_900, 4_900, rest].leak();
    let books = Books { mrr: 4_083, paid, ..books };
    shop.agrees("changed to a year", &books).await;

    // What was carried and the free tier's 10 have ended; the month's 300 are carried on, since 300 + 300 ≤ 600, and
    // 300 come, beside the packs' 200.
    shop.wait_until(end + DAY_S).await;
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

/// What is asked at `at` for the rest of a year that ends at `end`: its share of 490.00, rounded.
fn rest_of_the_year(at: i64, end: i64) -> i64 {
    let year = DateTime::from_timestamp(end, 0).expect("a date") - Months::new(12);
    let whole = end - year.timestamp();
    (2 * 49_000 * (end - at) + whole) / (2 * whole)
}
