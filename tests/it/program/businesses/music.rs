//! The music platform: a free start, daily limits, features, rollover to twice a month, and debts that are owed.

use serde_json::json;

use crate::support::database::TestDatabase;

use super::{Books, DECLINED, FAILS_LATER, Shop, VISA, shop::Sold};

const BASIC: Sold<'_> = Sold::Plan { price: "price_sandbox_basic_month", trial_days: 0 };
const PACK: Sold<'_> = Sold::Pack { code: "pack_2000", price: "price_sandbox_pack_2000", quantity: 1 };

#[tokio::test]
async fn music_from_the_first_free_song_to_the_end_of_the_subscription() {
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database, "music.toml", &[]).await;
    // 50 once.
    let books = Books { available: 50, debt: 0, plan: "free", status: "", mrr: 0, paid: &[] };
    shop.agrees("signed up", &books).await;

    // Five a day on the free plan, at 3 each: 50 − 15 = 35.
    for _ in 0..5 {
        shop.spend("instrumental_only", json!({}), 3).await;
    }
    shop.refused("instrumental_only", 429, "limit_reached").await;
    let books = Books { available: 35, ..books };
    shop.agrees("reached the free plan's limit", &books).await;

    shop.declined(&BASIC, DECLINED, "Your card was declined.").await;
    shop.agrees("was declined", &books).await;

    // 35 + 500.
    shop.buy(&BASIC, VISA).await;
    let books = Books { available: 535, plan: "basic", status: "active", mrr: 999, paid: &[999], ..books };
    shop.agrees("subscribed to basic", &books).await;

    // 5 + 2 for high + 1 for wav = 8, and 20; stems take a larger plan. 535 − 28 = 507, of which 472 are the month's.
    shop.spend("standard_generation", json!({ "quality": "high", "format": "wav" }), 8).await;
    shop.spend("voice_cloning", json!({}), 20).await;
    shop.refused("stem_separation", 403, "feature_not_in_plan").await;
    let books = Books { available: 507, ..books };
    shop.agrees("made music", &books).await;

    // 472 are carried over, since 472 + 500 ≤ 1,000; with the 35, 1,007.
    shop.renew().await;
    let books = Books { available: 1_007, paid: &[999, 999], ..books };
    shop.agrees("renewed", &books).await;

    shop.buy(&PACK, VISA).await;
    let topped_up = shop.last_payment().await;
    let books = Books { available: 3_007, ..books };
    shop.agrees("bought a pack", &books).await;

    // For half a month: (1,500 − 500) ÷ 2 = 500 more; 19.99 ÷ 2 → 10.00 less 9.99 ÷ 2 → 5.00.
    shop.change_plan_in_the_product("creator", 2, 500).await;
    let books = Books { available: 3_507, plan: "creator", mrr: 1_999, paid: &[999, 999, 500], ..books };
    shop.agrees("changed to creator", &books).await;

    // 15 + 5 for four stems = 20, less 5 % = 19.
    shop.spend("stem_separation", json!({ "stems": "four" }), 19).await;
    let books = Books { available: 3_488, ..books };
    shop.agrees("took a song apart", &books).await;

    // A quarter of the month is left: (1,500 − 500) ÷ 4 = 250 less; 9.99 ÷ 4 → 2.50 less 19.99 ÷ 4 → 5.00.
    shop.change_plan("price_sandbox_basic_month", 3).await;
    let books = Books { available: 3_238, plan: "basic", mrr: 999, paid: &[999, 999, 500, -250], ..books };
    shop.agrees("changed back to basic", &books).await;

    // The month is not paid: what is left of the one before can be spent, and the plan stays, for three days.
    shop.use_card(FAILS_LATER).await;
    shop.renew().await;
    let books = Books { status: "past_due", ..books };
    shop.agrees("could not pay", &books).await;
    let (start, _) = shop.period().await;
    shop.wait_until(start + 4 * super::DAY_S).await;
    // 2,000 of the pack and 35.
    let books = Books { available: 2_035, plan: "free", ..books };
    shop.agrees("did not pay for three days", &books).await;

    // Of the month before, 500 + 500 − 250 were not spent when it ended, and nothing since: 500 of them are carried
    // over, since 500 + 500 ≤ 1,000, and 500 come.
    shop.use_card("pm_card_visa").await;
    shop.pay_open_invoice().await;
    let books = Books {
        available: 3_035,
        plan: "basic",
        status: "active",
        paid: &[999, 999, 500, -250, 999],
        ..books
    };
    shop.agrees("paid with another card", &books).await;

    // 5.00 of 20.00: a quarter of 2,000.
    shop.refund(&topped_up, 500).await;
    let books = Books { available: 2_535, ..books };
    shop.agrees("got a quarter of a pack back", &books).await;

    shop.buy_from_the_overview("price_sandbox_pack_500", VISA).await;
    let disputed = shop.last_payment().await;
    shop.agrees("bought another pack", &Books { available: 3_035, ..books }).await;
    let dispute = shop.dispute(&disputed).await;
    shop.agrees("disputed it", &books).await;
    shop.lose(&dispute).await;
    shop.agrees("won against the shop", &books).await;

    shop.cancel_in_the_product().await;
    shop.agrees("cancelled, for the end of the period", &books).await;
    shop.renew().await;
    // What was bought stays: 1,500 of the pack, and 35 of the first 50.
    let books = Books { available: 1_535, plan: "free", status: "canceled", mrr: 0, ..books };
    shop.agrees("is on the free plan again", &books).await;
    shop.audit().await;
}
