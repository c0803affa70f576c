//! The comparison that runs by itself: once a night, by one of several instances, and what it does and does not mend.

use counterfoil::{domain::time::Timestamp, stripe::reconcile::Nightly};
use serde_json::json;

use super::shop::{Shop, pack};

const HOUR: u8 = 3;

fn nightly(shop: &Shop) -> Nightly {
    Nightly::new(shop.reconciler(), shop.server.test.database.pool(), HOUR)
}

fn set(shop: &Shop, time: &str) {
    shop.server.test.clock.set(Timestamp::parse(time).unwrap());
}

async fn nights(shop: &Shop) -> i64 {
    sqlx::query_scalar("select count(*) from ledger.stripe_reconciliations")
        .fetch_one(&shop.server.test.database.pool())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_done_at_its_hour_once_and_by_one() {
    let shop = Shop::start().await;
    for time in ["2026-11-21T02:59:59Z", "2026-11-21T04:00:00Z"] {
        set(&shop, time);
        assert_eq!(nightly(&shop).look().await.unwrap(), None, "{time}");
    }
    set(&shop, "2026-11-22T03:20:00Z");
    let (one, other) = (nightly(&shop), nightly(&shop));
    let (one, other) = tokio::join!(one.look(), other.look());
    assert_eq!([one.unwrap(), other.unwrap()].iter().flatten().count(), 1);
    assert_eq!(nightly(&shop).look().await.unwrap(), None, "it was done tonight");
    set(&shop, "2026-11-23T03:00:00Z");
    assert!(nightly(&shop).look().await.unwrap().is_some());
    assert_eq!(nights(&shop).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_fetches_lost_events_and_reports_what_no_event_tells() {
    let shop = Shop::start().await;
    shop.become_customer().await;
    shop.control("faults", json!({ "drop_percent": 100 })).await;
    let opened = shop.checkout("old", &pack()).await;
    shop.pay(&opened.body).await;
    shop.control("clock", json!({ "advance": "40 days" })).await;
    let opened = shop.checkout("new", &pack()).await;
    shop.pay(&opened.body).await;
    let now = shop.server.test.clock.now().to_utc().date_naive().succ_opt().unwrap();
    set(&shop, &format!("{now}T03:10:00Z"));
    let report = nightly(&shop).look().await.unwrap().expect("it is time");
    assert!(report.missing_events.iter().any(|event| event.kind == "checkout.session.completed"));
    assert!(report.missing_events.iter().all(|event| event.repaired), "{report:#?}");
    let [drift] = report.drifts.as_slice() else { panic!("{report:#?}") };
    assert!(!drift.repaired);
    // The free plan's credits, and the newer packs.
    let balance = shop.server.balance("acme").await;
    assert_eq!(balance["available"], 1_050, "{balance}");
}
