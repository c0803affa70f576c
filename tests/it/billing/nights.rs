//! The comparison that runs by itself: once a night, by one of several instances, and what it does and does not mend.

use std::time::Duration;

use chrono::Timelike;
use counterfoil::{clock::Clock, domain::time::Timestamp, stripe::reconcile::Nightly};
use serde_json::json;
use sqlx::PgPool;

use super::shop::{Shop, pack};
use crate::support::{database::TestDatabase, program::Served};

const HOUR: u8 = 3;

fn nightly(shop: &Shop) -> Nightly {
    Nightly::new(shop.reconciler(), shop.server.test.database.pool(), HOUR)
}

fn set(shop: &Shop, time: &str) {
    shop.server.test.clock.set(Timestamp::parse(time).unwrap());
}

async fn nights(pool: &PgPool) -> i64 {
    let counted = sqlx::query_scalar("select count(*) from ledger.stripe_reconciliations");
    counted.fetch_one(pool).await.unwrap()
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
    assert_eq!(nights(&shop.server.test.database.pool()).await, 2);
}

/// Whether a program that is told this hour has compared in its first seconds.
async fn compares_at(hour: &str) -> bool {
    let database = TestDatabase::create().await;
    let (url, hour) = (database.url(), hour.to_owned());
    let served = tokio::task::spawn_blocking(move || {
        Served::start(|command| {
            command.env("DATABASE_URL", url).env("COUNTERFOIL_RECONCILE_HOUR", hour).arg("--sandbox");
        })
    });
    let _served = served.await.unwrap();
    for _ in 0..40 {
        if nights(&database.pool()).await > 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_serves_does_it_unless_it_is_switched_off() {
    let hour = || Clock::system().now().to_utc().hour().to_string();
    let before = hour();
    let compared = compares_at(&before).await;
    // The hour may have ended meanwhile.
    assert!(compared || before != hour());
    assert!(!compares_at("off").await);
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
