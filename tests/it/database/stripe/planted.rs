//! Differences between Stripe and the ledger, planted one by one: each is reported, and “the same” only where it is.

use counterfoil::{
    domain::{
        command::{AccountCommand, Command},
        time::Timestamp,
    },
    stripe::inbound::reconcile::{Drift, StoredFigures, Subject, UntoldCause},
};
use serde_json::{Value, json};

use crate::support::{
    bureau::{Bureau, until},
    documents::{ADA, BOB, SHAPES, value},
};

const DAY: &str = "2025-07-25T00:00:00Z";
const ADAS: &str = "sub_1QLedgerAda00000000000001";

/// A ledger that knows all of the story until a day at which there is something of each kind.
pub async fn bureau() -> (Bureau, Vec<Value>) {
    let bureau = Bureau::open(Timestamp::parse(DAY).unwrap()).await;
    let happened = until(SHAPES[1], bureau.desk.clock().now());
    for event in &happened {
        bureau.desk.take(event).await;
    }
    bureau.desk.work().await;
    bureau.happened(&happened, &[]).await;
    (bureau, happened)
}

/// The newest state of the first object of this kind that fits.
pub fn object(happened: &[Value], kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let mut objects = happened.iter().map(|event| &event["data"]["object"]);
    let found = objects.rfind(|object| object["object"] == kind && fits(object));
    found.unwrap_or_else(|| panic!("the story has no {kind}")).clone()
}

pub fn shown(drifts: &[Drift]) -> String {
    drifts
        .iter()
        .map(|drift| format!("{:?}: {} / {}\n", drift.subject, drift.stripe_says, drift.ledger_says))
        .collect()
}

type Plant = (&'static str, fn(&mut Value), &'static str, &'static str);

/// What Stripe says of Ada's subscription, and the ledger otherwise.
const OF_A_SUBSCRIPTION: [Plant; 10] = [
    (
        "plan",
        |object| object["items"]["data"][0]["price"]["id"] = json!("price_1QLedgerTeamMonthly000003"),
        "plan team",
        "plan creator",
    ),
    ("quantity", |object| object["items"]["data"][0]["quantity"] = json!(3), "quantity 3", "quantity 1"),
    (
        "period",
        |object| object["items"]["data"][0]["current_period_end"] = json!(1_754_139_600),
        "to 2025-08-02",
        "to 2025-08-01",
    ),
    ("status", |object| object["status"] = json!("past_due"), "status past_due", "status active"),
    (
        "never started",
        |object| object["status"] = json!("incomplete_expired"),
        "has not started",
        "status active",
    ),
    (
        "discount",
        |object| {
            object["discounts"] =
                json!([{ "coupon": { "id": "HALF", "percent_off": 50, "duration": "forever" } }]);
        },
        "monthly 1000 usd",
        "monthly 1999 usd",
    ),
    ("end", |object| object["cancel_at"] = json!(1_754_042_700), "ends 2025-08-01", "ends never"),
    (
        "trial",
        |object| object["trial_end"] = json!(1_748_772_300),
        "trial ends 2025-06-01",
        "trial ends never",
    ),
    (
        "collection",
        |object| object["pause_collection"] = json!({ "behavior": "void" }),
        "collection paused",
        "collection on",
    ),
    (
        "account",
        |object| object["metadata"]["account_id"] = json!(BOB),
        "it is 9b2d7c44-1f0b-4c57-8e6f-6d2b1a9c5e02's",
        "it is 3f6c1b1e-5a0e-4d1a-9a53-0c3a4d2f7a01's",
    ),
];

#[tokio::test]
async fn what_a_subscription_is_otherwise_is_reported() {
    let (bureau, happened) = bureau().await;
    let same = bureau.run(false).await;
    assert!(same.found_nothing(), "{}", shown(&same.drifts));
    let whole = object(&happened, "subscription", |object| object["id"] == ADAS);
    for (name, plant, stripe_says, ledger_says) in OF_A_SUBSCRIPTION {
        let mut planted = whole.clone();
        plant(&mut planted);
        bureau.happened(&[], &[planted]).await;
        let report = bureau.run(false).await;
        let [drift] = report.drifts.as_slice() else { panic!("{name}: {}", shown(&report.drifts)) };
        assert_eq!((drift.subject, drift.object.as_str()), (Subject::Subscription, ADAS), "{name}");
        assert!(drift.stripe_says.contains(stripe_says), "{name}: {}", shown(&report.drifts));
        assert!(drift.ledger_says.contains(ledger_says), "{name}: {}", shown(&report.drifts));
    }
    bureau.happened(&[], &[whole]).await;
    assert!(bureau.run(false).await.found_nothing());
}

#[tokio::test]
async fn what_the_ledger_was_never_told_of_is_reported() {
    let (bureau, happened) = bureau().await;
    let ours = |object: &Value| object["customer"].is_string();
    let kinds = [
        ("subscription", Subject::Subscription),
        ("invoice", Subject::PaidInvoice),
        ("checkout.session", Subject::Checkout),
        ("refund", Subject::Refund),
        ("dispute", Subject::Dispute),
    ];
    for (kind, subject) in kinds {
        let paid = |object: &Value| match kind {
            "invoice" => object["status"] == "paid" && object["amount_paid"].as_i64() > Some(0),
            "checkout.session" => object["mode"] == "payment" && object["payment_status"] == "paid",
            _ => kind != "subscription" || ours(object),
        };
        let mut another = object(&happened, kind, paid);
        another["id"] = json!(format!("{}_another", another["id"].as_str().unwrap()));
        if kind == "checkout.session" {
            another["payment_intent"] = json!("pi_another");
        }
        if kind == "refund" {
            // No total of its payment was told since.
            another["created"] = json!(Timestamp::parse("2025-07-24T00:00:00Z").unwrap().seconds());
        }
        bureau.happened(&[], std::slice::from_ref(&another)).await;
        let report = bureau.run(false).await;
        let found = report.drifts.iter().find(|drift| another["id"] == drift.object.as_str());
        let found = found.unwrap_or_else(|| panic!("{kind} is not missed: {}", shown(&report.drifts)));
        assert_eq!((found.subject, found.ledger_says.as_str()), (subject, "nothing"), "{kind}");
        let repaired = bureau.run(true).await;
        assert_eq!(repaired.remaining(), 0, "{kind}: {}", shown(&repaired.drifts));
        assert!(repaired.drifts.iter().any(|drift| another["id"] == drift.object.as_str()), "{kind}");
        let again = bureau.run(false).await;
        assert!(again.found_nothing(), "{kind}: {}", shown(&again.drifts));
    }
}

#[tokio::test]
async fn a_dispute_that_ended_otherwise_is_reported() {
    let (bureau, happened) = bureau().await;
    let mut dispute = object(&happened, "dispute", |_| true);
    dispute["status"] = json!("won");
    bureau.happened(&[], &[dispute]).await;
    let report = bureau.run(false).await;
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    assert_eq!((drift.subject, drift.stripe_says.as_str()), (Subject::Dispute, "won"));
    assert_eq!(bureau.run(true).await.remaining(), 0);
    assert!(bureau.run(false).await.found_nothing());
}

/// Of an account that was closed, too.
#[tokio::test]
async fn what_happened_to_a_closed_account_is_reported() {
    let (bureau, happened) = bureau().await;
    let command = Command::Account(AccountCommand::CloseAccount { reason: "asked to".to_owned() });
    let key = counterfoil::ledger::IdempotencyKey::caller("close");
    bureau.desk.test.ledger.execute(crate::support::ledger::request(ADA, command, key)).await.unwrap();
    assert!(bureau.run(false).await.found_nothing());
    let mut ended = object(&happened, "subscription", |object| object["id"] == ADAS);
    ended["status"] = json!("canceled");
    ended["ended_at"] = json!(Timestamp::parse("2025-07-24T00:00:00Z").unwrap().seconds());
    bureau.happened(&[], &[ended]).await;
    assert_eq!(bureau.run(true).await.remaining(), 0);
    let again = bureau.run(false).await;
    assert!(again.found_nothing(), "{}", shown(&again.drifts));
}

/// Nothing can be made of that but a line for a person.
#[tokio::test]
async fn a_subscription_that_stripe_does_not_have_is_reported() {
    let bureau = Bureau::open(Timestamp::parse("2025-06-12T00:00:00Z").unwrap()).await;
    bureau.desk.tell(&["customer.created.json", "customer.subscription.created.json"]).await;
    bureau.happened(&[value(SHAPES[1], "customer.created.json")], &[]).await;
    let report = bureau.run(true).await;
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    assert_eq!((drift.object.as_str(), drift.stripe_says.as_str()), (ADAS, "nothing"));
    assert_eq!(drift.ledger_says, "status active, plan basic");
}

/// An end holds for good here. If Stripe says otherwise, somebody has to know.
#[tokio::test]
async fn a_subscription_that_ended_here_and_runs_at_stripe_is_reported() {
    let (bureau, happened) = bureau().await;
    let mut ended = happened
        .iter()
        .rfind(|event| event["data"]["object"]["id"] == ADAS)
        .expect("it was reported")
        .clone();
    ended["id"] = json!("evt_ended");
    ended["type"] = json!("customer.subscription.deleted");
    ended["data"]["object"]["status"] = json!("canceled");
    bureau.desk.take(&ended).await;
    bureau.desk.work().await;
    let report = bureau.run(false).await;
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    assert!(drift.stripe_says.contains("status active"), "{}", shown(&report.drifts));
    assert_eq!(drift.cause, UntoldCause::Kept { because: StoredFigures::End });
    assert_eq!(bureau.run(true).await.drifts, report.drifts, "no event takes an end back");
    // It ended there as well, at another time.
    let mut ended = ended["data"]["object"].clone();
    ended["ended_at"] = json!(1_750_000_000);
    bureau.happened(&[], &[ended]).await;
    let report = bureau.run(true).await;
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    assert_eq!(drift.stripe_says, "ended at 2025-06-15T15:06:40Z");
    assert!(drift.ledger_says.starts_with("ended at 2025-07-"), "{}", drift.ledger_says);
    assert_eq!(drift.cause, UntoldCause::Kept { because: StoredFigures::Time });
}
