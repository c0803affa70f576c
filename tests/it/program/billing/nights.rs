//! The comparison that runs by itself: once a night, by one of several instances, and what it does and does not mend.

use std::time::Duration;

use chrono::Timelike;
use counterfoil::{
    clock::Clock,
    domain::time::Timestamp,
    stripe::inbound::reconcile::{Nightly, ReconcileOptions},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::support::{
    database::TestDatabase,
    heard::Heard,
    program::Served,
    shop::{Shop, pack},
};

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

/// An instance that is frozen for some seconds believes to have a lease that another one has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_both_believe_that_it_is_theirs_keep_one_report() {
    let shop = Shop::start().await;
    let pool = shop.server.test.database.pool();
    let at_once = "create function read.ends_at_once() returns trigger language plpgsql as $$
        begin new.until := now() - interval '1 hour'; return new; end $$;
        create trigger ends_at_once before insert or update on read.leases
        for each row when (new.name not like 'counterfoil/%') execute function read.ends_at_once()";
    sqlx::raw_sql(at_once).execute(&pool).await.unwrap();
    set(&shop, "2026-11-22T03:20:00Z");
    let (one, other) = (nightly(&shop), nightly(&shop));
    let (one, other) = tokio::join!(one.look(), other.look());
    assert_eq!([one.unwrap(), other.unwrap()].iter().flatten().count(), 1);
    assert_eq!(nights(&pool).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_left_to_an_instance_that_does_it_until_that_is_gone() {
    let shop = Shop::start().await;
    let pool = shop.server.test.database.pool();
    let held = "insert into read.leases \
                values ('counterfoil stripe reconcile', gen_random_uuid(), now() + interval '1 hour')";
    sqlx::query(held).execute(&pool).await.unwrap();
    set(&shop, "2026-11-22T03:20:00Z");
    assert_eq!(nightly(&shop).look().await.unwrap(), None);
    sqlx::query("update read.leases set until = now()").execute(&pool).await.unwrap();
    assert!(nightly(&shop).look().await.unwrap().is_some());
    assert_eq!(nights(&pool).await, 1);
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

/// A pack that was bought so long ago that no event tells of it any more.
async fn forgotten(shop: &Shop) {
    shop.become_customer().await;
    shop.control("faults", json!({ "drop_percent": 100 })).await;
    let opened = shop.checkout("old", &pack()).await;
    shop.pay(&opened.body).await;
    shop.advance("40 days").await;
}

fn set_next_night(shop: &Shop) {
    let next = shop.server.test.clock.now().to_utc().date_naive().succ_opt().unwrap();
    set(shop, &format!("{next}T03:10:00Z"));
}

#[tokio::test]
async fn each_difference_is_a_warning_and_all_are_shown_until_the_next_night() {
    let heard = Heard::begin();
    let shop = Shop::start().await;
    forgotten(&shop).await;
    set_next_night(&shop);
    let report = nightly(&shop).look().await.unwrap().expect("it is time");
    let [drift] = report.drifts.as_slice() else { panic!("{report:#?}") };
    let line = heard.line("the ledger is not what Stripe says");
    assert_eq!((&line["level"], &line["subject"]), (&json!("WARN"), &json!("checkout")));
    assert_eq!((&line["object"], &line["account"]), (&json!(drift.object.to_string()), &json!("acme")));
    assert_eq!(
        (&line["stripe_says"], &line["ledger_says"]),
        (&json!(drift.stripe_says), &json!(drift.ledger_says))
    );
    assert_eq!(line["cause"], drift.cause.sentence());
    heard.has_counted(&[
        "counterfoil_stripe_drift{subject=\"checkout\"} 1",
        "counterfoil_stripe_drift{subject=\"subscription\"} 0",
        "counterfoil_stripe_events_fetched_total 0",
        "counterfoil_stripe_reconciliations_total{outcome=\"done\"} 1",
    ]);
    let kept: Vec<Value> = sqlx::query_scalar("select report from ledger.stripe_reconciliations")
        .fetch_all(&shop.server.test.database.pool())
        .await
        .unwrap();
    assert_eq!(kept, [serde_json::to_value(&report).unwrap()]);

    let since = shop.server.test.clock.now().minus(chrono::TimeDelta::days(90));
    let mend = ReconcileOptions { since, fetch_events: true, rebuild_events: true };
    shop.reconciler().run(mend, |_, _| {}).await.unwrap();
    set_next_night(&shop);
    nightly(&shop).look().await.unwrap().expect("it is time");
    heard.has_counted(&[
        "counterfoil_stripe_drift{subject=\"checkout\"} 0",
        "counterfoil_stripe_reconciliations_total{outcome=\"done\"} 2",
    ]);
}

#[tokio::test]
async fn a_comparison_that_fails_is_counted_and_said_with_its_cause() {
    let heard = Heard::begin();
    let shop = Shop::start().await;
    set_next_night(&shop);
    shop.fail(json!([{ "status": 500, "times": 3 }])).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(nightly(&shop).run(stop.clone()));
    const FAILED: &str = "the ledger could not be compared with Stripe";
    while heard.lines_of(FAILED).is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    running.await.unwrap();
    let line = heard.line(FAILED);
    assert!(line["error.sources"][0].as_str().is_some_and(|cause| cause.contains("Stripe")), "{line}");
    heard.has_counted(&["counterfoil_stripe_reconciliations_total{outcome=\"failed\"} 1"]);
    assert_eq!(nights(&shop.server.test.database.pool()).await, 0, "it is tried again tonight");
}
