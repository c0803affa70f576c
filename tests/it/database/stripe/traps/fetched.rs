//! What was never told, or only in part, is read at Stripe.

use std::collections::BTreeSet;

use counterfoil::{
    domain::{ids::AccountId, time::Timestamp},
    stripe::inbound::{
        inbox::{InboxState, Proof},
        reconcile::{ReconcileReport, Subject, UntoldCause},
    },
};
use serde_json::{Value, json};

use crate::{
    database::audit::tamper,
    support::{
        bureau::{Bureau, until},
        documents::{ADA, BOB, SHAPES, value},
    },
};

fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).unwrap()
}

/// The objects that these events are about, as they are after them.
fn objects(events: &[Value]) -> Vec<Value> {
    events.iter().map(|event| event["data"]["object"].clone()).collect()
}

/// The story tells of it by its charge's total alone; at Stripe it is an object like the first one.
fn second_refund() -> Value {
    let mut refund = value(SHAPES[1], "refund.created.json")["data"]["object"].clone();
    refund["id"] = json!("re_3QLedgerAda00000000000R2");
    refund["created"] = value(SHAPES[1], "charge.refunded.rest.json")["created"].clone();
    refund
}

fn found(report: &ReconcileReport) -> BTreeSet<Subject> {
    report.drifts.iter().map(|drift| drift.subject).collect()
}

#[tokio::test]
async fn trap_03_what_was_never_delivered_is_fetched_and_counts_once() {
    let bureau = Bureau::open(at("2025-06-02T00:00:00Z")).await;
    let happened = until(SHAPES[1], bureau.desk.clock().now());
    bureau.happened(&happened, &[]).await;
    let missing = bureau.run(false).await;
    assert!(missing.remaining() > 0 && missing.missing_events.iter().all(|event| !event.repaired));
    let of_invoice = missing.drifts.iter().find(|drift| drift.subject == Subject::PaidInvoice);
    assert!(
        of_invoice.is_none_or(|drift| matches!(drift.cause, UntoldCause::EventMissing { .. })),
        "{missing:#?}"
    );
    assert_eq!(bureau.desk.count().await.values().sum::<i64>(), 0, "nothing was changed");

    let repaired = bureau.run(true).await;
    assert_eq!((repaired.remaining(), &repaired.drifts), (0, &Vec::new()));
    assert_eq!(bureau.desk.ada().await, 550);
    let invoice = value(SHAPES[1], "invoice.paid.subscription_create.json");
    let kept = bureau.desk.inbox.find(invoice["id"].as_str().unwrap()).await.unwrap().unwrap().summary;
    assert_eq!((kept.state, kept.proof, kept.secret), (InboxState::Processed, Proof::Listed, None));

    // Stripe tries for three days, and may yet succeed.
    for event in &happened {
        bureau.desk.take(event).await;
    }
    bureau.desk.work().await;
    assert_eq!(bureau.desk.ada().await, 550);
    assert!(bureau.run(true).await.found_nothing());
}

#[tokio::test]
async fn trap_04_what_no_event_tells_is_told_by_the_objects_and_a_late_event_adds_nothing() {
    let bureau = Bureau::open(at("2025-07-25T00:00:00Z")).await;
    let happened = until(SHAPES[1], bureau.desk.clock().now());
    // Of the customers there is no list that is compared: their events came.
    for event in happened.iter().filter(|event| event["type"] == "customer.created") {
        bureau.desk.take(event).await;
    }
    bureau.desk.work().await;
    let mut objects = objects(&happened);
    objects.push(second_refund());
    bureau.happened(&[], &objects).await;
    let drifted = bureau.run(false).await;
    let untold = |cause: &UntoldCause| matches!(cause, UntoldCause::NoEvent);
    assert!(drifted.drifts.iter().all(|drift| untold(&drift.cause) && !drift.repaired), "{drifted:#?}");
    assert!(found(&drifted).is_superset(&BTreeSet::from([
        Subject::Subscription,
        Subject::PaidInvoice,
        Subject::Checkout
    ])));
    assert_eq!(bureau.desk.ada().await, 50);

    let repaired = bureau.run(true).await;
    assert_eq!(repaired.remaining(), 0, "{repaired:#?}");
    // What goes back is known by what was paid, so it was found when that had been mended.
    assert!(
        found(&repaired).is_superset(&BTreeSet::from([Subject::Refund, Subject::Dispute])),
        "{repaired:#?}"
    );
    let mended = bureau.desk.ada().await;
    assert!(bureau.run(true).await.found_nothing());

    for event in &happened {
        bureau.desk.take(event).await;
    }
    bureau.desk.work().await;
    assert_eq!(bureau.desk.ada().await, mended);
    assert!(bureau.run(true).await.found_nothing());
}

/// Whichever is newer holds: a report of Stripe's, or one that was made of the subscription when it was read.
#[tokio::test]
async fn trap_01_a_rebuilt_report_stands_among_the_others_by_its_time() {
    let bureau = Bureau::open(at("2025-06-12T00:00:00Z")).await;
    bureau.desk.tell(&["customer.created.json", "customer.subscription.created.json"]).await;
    let upgraded = value(SHAPES[1], "customer.subscription.updated.plan_upgrade.json");
    let object = &upgraded["data"]["object"];
    bureau.happened(&[], std::slice::from_ref(object)).await;
    let drifts = bureau.run(true).await.drifts;
    assert!(drifts[0].stripe_says.starts_with("plan creator"), "{drifts:?}");
    assert_eq!(plan(&bureau).await, "creator");
    // The event that was lost comes after all.
    bureau.desk.take(&upgraded).await;
    bureau.desk.work().await;
    assert_eq!(plan(&bureau).await, "creator");

    // Back again, as an event tells; and once more the other way, as none does.
    bureau.desk.clock().set(at("2025-06-14T00:00:00Z"));
    let mut back = value(SHAPES[1], "customer.subscription.created.json");
    back["id"] = json!("evt_back");
    back["type"] = json!("customer.subscription.updated");
    back["created"] = json!(at("2025-06-13T00:00:00Z").seconds());
    bureau.desk.take(&back).await;
    bureau.desk.work().await;
    assert_eq!(plan(&bureau).await, "basic");
    assert_eq!(bureau.run(true).await.remaining(), 0);
    assert_eq!(plan(&bureau).await, "creator");
    let rebuilt = bureau.desk.inbox.list(None, None, 500).await.unwrap().events;
    assert_eq!(rebuilt.iter().filter(|event| event.proof == Proof::Rebuilt).count(), 2);
}

async fn plan(bureau: &Bureau) -> String {
    let view = bureau.desk.test.ledger.view(&AccountId::parse(ADA).unwrap()).await.unwrap();
    view.account
        .opened()
        .unwrap()
        .plan(bureau.desk.clock().now(), bureau.desk.test.ledger.catalog())
        .to_string()
}

/// What came and could not be processed would not be the second time, and what a person discarded stays so.
#[tokio::test]
async fn what_is_dead_is_left_to_a_person() {
    let bureau = Bureau::open(at("2025-06-02T00:00:00Z")).await;
    bureau.desk.tell(&["customer.created.json"]).await;
    let mut sold_elsewhere = value(SHAPES[1], "invoice.paid.subscription_create.json");
    let line = &mut sold_elsewhere["data"]["object"]["lines"]["data"][0];
    line["pricing"]["price_details"]["price"] = json!("price_of_another_product");
    bureau.happened(&[], std::slice::from_ref(&sold_elsewhere["data"]["object"])).await;
    // Made of the object, it ends where a person finds it.
    let first = bureau.run(true).await;
    assert_eq!(first.remaining(), 1);
    let UntoldCause::EventUnprocessed { event, state: InboxState::Dead, reason: Some(reason) } =
        &first.drifts[0].cause
    else {
        panic!("{first:#?}");
    };
    assert!(reason.contains("price_of_another_product"), "{reason}");
    assert_eq!(bureau.run(true).await.drifts, first.drifts, "nothing more is made of it");
    let now = bureau.desk.clock().now();
    bureau.desk.inbox.discard(event, "not ours", now).await.unwrap();
    assert!(bureau.run(false).await.found_nothing());
}

/// A desk that was told nothing of a paid invoice, whose customer nobody knows.
async fn nobodys() -> Bureau {
    let bureau = Bureau::open(at("2025-06-02T00:00:00Z")).await;
    let mut invoice = value(SHAPES[1], "invoice.paid.subscription_create.json")["data"]["object"].clone();
    invoice["parent"]["subscription_details"]["metadata"] = json!({});
    bureau.happened(&[], &[invoice]).await;
    let report = bureau.run(false).await;
    let [drift] = report.drifts.as_slice() else { panic!("{report:#?}") };
    assert!(drift.stripe_says.starts_with("what is nobody's: "), "{drift:?}");
    bureau
}

#[tokio::test]
async fn what_is_nobodys_is_told_once_its_customer_is_linked_and_else_can_be_discarded() {
    let bureau = nobodys().await;
    bureau.desk.tell(&["customer.created.json"]).await;
    assert_eq!(bureau.run(true).await.remaining(), 0);
    assert_eq!(bureau.desk.ada().await, 550);

    let bureau = nobodys().await;
    let report = bureau.run(true).await;
    let UntoldCause::EventUnprocessed { event, state: InboxState::Waiting, .. } = &report.drifts[0].cause
    else {
        panic!("{report:#?}");
    };
    let now = bureau.desk.clock().now();
    bureau.desk.inbox.discard(event, "not ours", now).await.unwrap();
    assert!(bureau.run(false).await.found_nothing());
}

#[tokio::test]
async fn one_damaged_account_does_not_keep_the_others_from_being_compared() {
    let bureau = Bureau::open(at("2025-06-05T00:00:00Z")).await;
    bureau.desk.tell(&["customer.created.json", "customer.created.bob.json"]).await;
    let first = format!("delete from ledger.events where aggregate_id = '{BOB}' and sequence = 1");
    tamper(&bureau.desk.test, &first).await;
    let objects = ["invoice.paid.subscription_create.json", "customer.subscription.created.trialing.json"]
        .map(|file| value(SHAPES[1], file)["data"]["object"].clone());
    bureau.happened(&[], &objects).await;
    let report = bureau.run(true).await;
    let left: Vec<_> = report.drifts.iter().filter(|drift| !drift.repaired).collect();
    let [damaged] = left.as_slice() else { panic!("{report:#?}") };
    assert!(damaged.stripe_says.contains(BOB), "{damaged:?}");
    assert_eq!(bureau.desk.ada().await, 550);
}

/// An invoice with more lines than one page of the list has.
fn long_invoice() -> (Value, Value) {
    let event = value("edge", "invoice_lines_truncated.json");
    let mut invoice = event["data"]["object"].clone();
    let line = invoice["lines"]["data"][0].clone();
    let lines: Vec<Value> = (0..120)
        .map(|number| {
            let mut line = line.clone();
            line["id"] = json!(format!("il_edge_{number:03}"));
            line
        })
        .collect();
    invoice["lines"] = json!({ "object": "list", "data": lines, "has_more": false, "total_count": 120 });
    (event, invoice)
}

#[tokio::test]
async fn trap_20_the_lines_that_an_event_leaves_out_are_fetched_before_anything_is_granted() {
    let (event, invoice) = long_invoice();
    let bureau =
        Bureau::open(Timestamp::from_seconds(event["created"].as_i64().unwrap() + 60).unwrap()).await;
    bureau.desk.tell(&["customer.created.json"]).await;
    bureau.happened(&[], std::slice::from_ref(&invoice)).await;
    // Stripe is out of order at first: the event waits, and is tried again.
    bureau.fail(json!([{ "status": 503, "times": 3 }])).await;
    let id = bureau.desk.take(&event).await;
    bureau.desk.work().await;
    assert_eq!(bureau.desk.state(&id).await, InboxState::Waiting);
    assert!(bureau.desk.reason(&id).await.contains("Stripe does not accept requests now"));
    assert_eq!(bureau.desk.ada().await, 50);
    bureau.desk.pass(2);
    bureau.desk.work().await;
    assert_eq!(bureau.desk.state(&id).await, InboxState::Processed, "{}", bureau.desk.reason(&id).await);
    let whole = bureau.desk.ada().await;

    // The same invoice, delivered whole, pays for the same.
    let other = Bureau::open(bureau.desk.clock().now()).await;
    other.desk.tell(&["customer.created.json"]).await;
    let mut delivered = event.clone();
    delivered["data"]["object"] = invoice;
    other.desk.take(&delivered).await;
    other.desk.work().await;
    assert_eq!(other.desk.ada().await, whole);
    assert!(whole > 50);
}
