//! How much did each of several payments pay of an invoice? Each part is planted by itself.

use counterfoil::stripe::inbound::reconcile::{Drift, ReconcileReport, StoredFigures, Subject, UntoldCause};
use serde_json::{Value, json};

use super::planted::{bureau, object, shown};
use crate::support::bureau::Bureau;

const RENEWED: &str = "in_1QLedgerAda00000000000A3";
const FIRST: &str = "pi_first";
const SECOND: &str = "pi_second";

/// What a payment paid of the renewal.
fn share(story: &Value, payment: &str, minor: i64) -> Value {
    let mut share = story.clone();
    share["id"] = json!(format!("inpay_{payment}"));
    share["invoice"] = json!(RENEWED);
    share["payment"]["payment_intent"] = json!(payment);
    (share["amount_paid"], share["amount_requested"]) = (json!(minor), json!(minor));
    share
}

fn payment(story: &Value, id: &str, minor: i64) -> Value {
    let mut payment = story.clone();
    payment["id"] = json!(id);
    (payment["amount"], payment["amount_received"]) = (json!(minor), json!(minor));
    payment
}

fn paid(share: &Value) -> Value {
    json!({
        "id": format!("evt_{}", share["id"].as_str().unwrap()), "object": "event", "type": "invoice_payment.paid",
        "created": share["created"], "livemode": false, "data": { "object": share },
    })
}

/// A renewal of 19.99 that two payments paid, as the ledger was told.
async fn renewal() -> (Bureau, [Value; 4]) {
    let (bureau, happened) = bureau().await;
    let link = object(&happened, "invoice_payment", |_| true);
    let intent =
        object(&happened, "payment_intent", |payment| payment["id"] == "pi_3QLedgerAda00000000000A1");
    let shares = [share(&link, FIRST, 1_500), share(&link, SECOND, 499)];
    for share in &shares {
        bureau.desk.take(&paid(share)).await;
    }
    bureau.desk.work().await;
    let [first, second] = shares;
    let objects = [first, second, payment(&intent, FIRST, 1_500), payment(&intent, SECOND, 499)];
    bureau.happened(&[], &objects).await;
    (bureau, objects)
}

fn is_the_same(report: &ReconcileReport) {
    assert!(report.is_the_same(), "{}{:?}", shown(&report.drifts), report.not_compared);
}

fn says(drift: &Drift) -> (Subject, &str, &str, &str) {
    assert_eq!(drift.cause, UntoldCause::Kept { because: StoredFigures::Amount });
    (drift.subject, drift.object.as_str(), &drift.stripe_says, &drift.ledger_says)
}

#[tokio::test]
async fn two_payments_that_come_to_what_the_invoice_was_paid_with_are_the_same() {
    let (bureau, _) = renewal().await;
    let report = bureau.run(true).await;
    is_the_same(&report);
    assert!(report.read["invoice_payment"] >= 3, "{:?}", report.read);
}

/// Less than its part is no less wrong than more than the whole.
#[tokio::test]
async fn a_part_that_is_otherwise_is_reported() {
    for (minor, first, second) in [
        (400, ["1500", "1599"], ["400", "499"]),
        (600, ["1500", "1399"], ["600", "499"]),
        (1_999, ["1500", "0"], ["1999", "499"]),
    ] {
        let (bureau, [_, mut second_share, ..]) = renewal().await;
        second_share["amount_paid"] = json!(minor);
        bureau.happened(&[], &[second_share]).await;
        let report = bureau.run(false).await;
        let part = |amount: &str| format!("paid {amount} usd of {RENEWED}");
        let [first, second] = [first, second].map(|says| says.map(part));
        let found: Vec<_> =
            report.drifts.iter().filter(|drift| drift.subject == Subject::InvoicePayment).collect();
        let found: Vec<_> = found.into_iter().map(says).collect();
        let expected = [
            (Subject::InvoicePayment, "inpay_pi_first", first[0].as_str(), first[1].as_str()),
            (Subject::InvoicePayment, "inpay_pi_second", second[0].as_str(), second[1].as_str()),
        ];
        assert_eq!(found, expected, "{minor}");
    }
}

/// The payment itself took another amount than it paid of the invoice.
#[tokio::test]
async fn a_payment_that_took_less_than_its_part_is_reported() {
    let (bureau, [.., mut second]) = renewal().await;
    second["amount_received"] = json!(400);
    bureau.happened(&[], &[second]).await;
    let report = bureau.run(false).await;
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    let part = |amount: &str| format!("paid {amount} usd of {RENEWED}");
    assert_eq!(says(drift), (Subject::Payment, SECOND, part("400").as_str(), part("499").as_str()));
}

/// A part that only the ledger knows is missed, and so is its amount.
#[tokio::test]
async fn a_part_that_stripe_does_not_have_is_reported() {
    let (bureau, [mut first, second, ..]) = renewal().await;
    first["status"] = json!("canceled");
    bureau.happened(&[], &[first, second]).await;
    let report = bureau.run(false).await;
    let found: Vec<_> =
        report.drifts.iter().map(|drift| (drift.object.as_str(), drift.stripe_says.as_str())).collect();
    let other = format!("{SECOND} paid {RENEWED}");
    let part = |amount: &str| format!("paid {amount} usd of {RENEWED}");
    assert!(found.contains(&(FIRST, other.as_str())), "{found:?}");
    assert!(found.contains(&("inpay_pi_second", part("499").as_str())), "{found:?}");
}

/// Of parts that Stripe does not list nothing is said.
#[tokio::test]
async fn a_part_that_cannot_be_told_is_said() {
    let (bureau, [mut first, mut second, ..]) = renewal().await;
    (first["status"], second["status"]) = (json!("open"), json!("open"));
    bureau.happened(&[], &[first, second]).await;
    let report = bureau.run(false).await;
    let said: Vec<_> = report.not_compared.iter().map(|left_out| left_out.because.as_str()).collect();
    let because = format!("Stripe lists no payments of {RENEWED}");
    assert_eq!(said, [because.as_str(), because.as_str()]);
    assert!(!report.is_the_same());
}
