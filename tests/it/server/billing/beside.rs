//! Who spends credits does not wait for those who wait for Stripe.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::shop::{ACME, Shop, TOO_LATE_MS, TRY_LASTS, pack};

/// How long a buyer waits: three tries.
const WAITING: Duration = TRY_LASTS.saturating_mul(3);
/// More than there are connections to the database.
const BUYERS: usize = 48;
const DEDUCTIONS: usize = 200;

/// How long deductions take, one after the other: the median, and the longest.
async fn deductions(shop: &Shop) -> (Duration, Duration) {
    let mut took = Vec::with_capacity(DEDUCTIONS);
    for _ in 0..DEDUCTIONS {
        let begin = Instant::now();
        let answer = shop.server.post(&format!("{ACME}/deductions"), json!({ "amount": 1 })).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        took.push(begin.elapsed());
    }
    took.sort_unstable();
    (took[DEDUCTIONS / 2], took[DEDUCTIONS - 1])
}

#[tokio::test(flavor = "multi_thread")]
async fn deductions_are_answered_while_stripe_is_slow() {
    let shop = Shop::start().await;
    shop.server.grant("acme", 1_000).await;
    let buyers: Vec<String> = (0..BUYERS).map(|number| format!("buyer_{number}")).collect();
    for buyer in &buyers {
        shop.server.open(buyer).await;
    }
    let before = deductions(&shop).await;

    shop.fail(json!([{ "delay_ms": TOO_LATE_MS, "times": 100_000 }])).await;
    let (order, begin) = (pack(), Instant::now());
    let sales = futures::future::join_all(buyers.iter().map(|buyer| async {
        let answer = shop.checkout_of(buyer, "k1", &order).await;
        (answer.status.as_u16(), begin.elapsed())
    }));
    let (sales, beside) = tokio::join!(sales, deductions(&shop));
    for (status, took) in sales {
        assert_eq!(status, 503);
        assert!(took >= WAITING, "{took:?}");
    }
    println!("deductions: {before:?}, beside {BUYERS} calls of a slow Stripe: {beside:?}");
    assert!(beside.0 < TRY_LASTS / 6 && beside.1 < TRY_LASTS, "{before:?}, {beside:?}");
}
