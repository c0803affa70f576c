//! Is as much paid and given back as the ledger says? Each way in which an object can say otherwise is planted by
//! itself.

use counterfoil::{
    domain::time::Timestamp,
    stripe::inbound::reconcile::{Drift, ReconcileReport, StoredFigures, Subject, UntoldCause},
};
use serde_json::json;

use super::planted::{bureau, object, shown};
use super::plants::{
    CREATED, KEPT, LINK, OF_A_DISPUTE, OF_INVOICE, OF_SESSION, Plant, REFUND, RENEWED, SESSION,
};
use crate::support::{
    bureau::Bureau,
    documents::{SHAPES, value},
};

fn only(report: &ReconcileReport, name: &str) -> Drift {
    let [drift] = report.drifts.as_slice() else { panic!("{name}: {}", shown(&report.drifts)) };
    drift.clone()
}

fn subject(id: &str) -> Subject {
    match id {
        CREATED | RENEWED => Subject::PaidInvoice,
        LINK => Subject::InvoicePayment,
        SESSION => Subject::Checkout,
        OF_INVOICE | OF_SESSION => Subject::Payment,
        REFUND => Subject::Refund,
        _ => Subject::Dispute,
    }
}

async fn rebuilt(bureau: &Bureau) -> i64 {
    let counted = sqlx::query_scalar("select count(*) from ledger.stripe_inbox where proof = 'rebuilt'");
    counted.fetch_one(&bureau.desk.test.database.pool()).await.unwrap()
}

/// No event corrects it, so none is made of it, and a person is told why, each time again.
#[tokio::test]
async fn what_was_told_otherwise_is_reported_and_kept() {
    let (bureau, happened) = bureau().await;
    let same = bureau.run(false).await;
    assert!(same.found_nothing(), "{}", shown(&same.drifts));
    for Plant { object: id, name, plant, stripe_says, ledger_says, kept } in
        KEPT.into_iter().chain(OF_A_DISPUTE)
    {
        let whole = happened.iter().rfind(|event| event["data"]["object"]["id"] == id);
        let whole = whole.unwrap_or_else(|| panic!("the story has no {id}"))["data"]["object"].clone();
        let mut planted = whole.clone();
        plant(&mut planted);
        assert_ne!(planted, whole, "{id}: {name}");
        bureau.happened(&[], &[planted]).await;
        let name = format!("{id}: {name}");
        let drift = only(&bureau.run(false).await, &name);
        assert_eq!((drift.subject, drift.object.as_str()), (subject(id), id), "{name}");
        assert!(drift.stripe_says.contains(stripe_says), "{name}: {drift:?}");
        assert!(drift.ledger_says.contains(ledger_says), "{name}: {drift:?}");
        assert_eq!(drift.cause, UntoldCause::Kept { because: kept }, "{name}");
        assert!(drift.cause.sentence().starts_with("no event corrects it: "), "{name}");
        let repaired = bureau.run(true).await;
        assert_eq!((repaired.remaining(), only(&repaired, &name)), (1, drift), "{name}");
        assert_eq!(rebuilt(&bureau).await, 0, "{name}: an event would do nothing");
        bureau.happened(&[], &[whole]).await;
        let same = bureau.run(false).await;
        assert!(same.found_nothing(), "{name}: {}", shown(&same.drifts));
    }
}

/// What a refund, an invoice or a payment is otherwise, and what an event of it can put right.
async fn mended(bureau: &Bureau, name: &str, says: [&str; 2]) {
    let drift = only(&bureau.run(false).await, name);
    assert_eq!([drift.stripe_says.as_str(), drift.ledger_says.as_str()], says, "{name}");
    assert_eq!(drift.cause, UntoldCause::NoEvent, "{name}");
    let repaired = bureau.run(true).await;
    assert_eq!((repaired.remaining(), only(&repaired, name).repaired), (0, true), "{name}");
    let again = bureau.run(true).await;
    assert!(again.found_nothing(), "{name}: {}", shown(&again.drifts));
}

#[tokio::test]
async fn a_refund_that_failed_gives_back_what_was_taken_when_it_is_told() {
    let (bureau, happened) = bureau().await;
    let (before, mut refund) = (bureau.desk.ada().await, object(&happened, "refund", |_| true));
    refund["status"] = json!("failed");
    bureau.happened(&[], std::slice::from_ref(&refund)).await;
    mended(&bureau, "failed", ["1000 usd did not go back after all", "1000 usd went back"]).await;
    let after = bureau.desk.ada().await;
    assert!(after > before, "{after}");
    // It failed for good.
    refund["status"] = json!("succeeded");
    bureau.happened(&[], &[refund]).await;
    let drift = only(&bureau.run(true).await, "succeeded");
    assert_eq!(
        [drift.stripe_says, drift.ledger_says],
        ["1000 usd went back", "1000 usd did not go back after all"]
    );
    assert_eq!((drift.cause, drift.repaired), (UntoldCause::Kept { because: StoredFigures::End }, false));
    assert_eq!(bureau.desk.ada().await, after);
}

/// The ledger knows a total of 10.00 since then, which cannot count a refund of 15.00.
#[tokio::test]
async fn a_refund_that_is_more_than_the_total_that_was_told_is_reported() {
    let bureau = Bureau::open(Timestamp::parse("2025-06-26T00:00:00Z").unwrap()).await;
    let told = ["customer.created.json", "checkout.session.completed.topup.json", "charge.refunded.json"];
    bureau.desk.tell(&told).await;
    let mut refund = value(SHAPES[1], "refund.created.json")["data"]["object"].clone();
    bureau.happened(&told.map(|file| value(SHAPES[1], file)), std::slice::from_ref(&refund)).await;
    assert!(bureau.run(false).await.found_nothing(), "the total counts it");
    let before = bureau.desk.ada().await;
    refund["amount"] = json!(1_500);
    bureau.happened(&[], &[refund]).await;
    mended(&bureau, "total", ["1500 usd went back", "1000 usd went back in all"]).await;
    assert_eq!(bureau.desk.ada().await, before - 500);
}

/// What was told after an object was read says more than the object.
#[tokio::test]
async fn a_refund_that_fails_while_it_is_compared_is_no_difference() {
    let (bureau, happened) = bureau().await;
    let refund = object(&happened, "refund", |_| true);
    bureau.happened(&[], std::slice::from_ref(&refund)).await;
    let mut failed = refund;
    failed["status"] = json!("failed");
    let created = bureau.desk.clock().now().seconds() + 5;
    let event = json!({
        "id": "evt_failed", "object": "event", "type": "refund.failed", "created": created, "livemode": false,
        "data": { "object": failed },
    });
    bureau.desk.take(&event).await;
    bureau.desk.work().await;
    let same = bureau.run(false).await;
    assert!(same.found_nothing(), "{}", shown(&same.drifts));
    bureau.desk.pass(10);
    assert_eq!(bureau.run(false).await.remaining(), 1, "and from then on it is one");
}

/// A payment that the ledger does not know, and one that is known by its invoice only.
#[tokio::test]
async fn a_payment_of_a_pack_that_was_never_told_is_found_and_granted() {
    let (bureau, happened) = bureau().await;
    let before = bureau.desk.ada().await;
    let mut payment = object(&happened, "payment_intent", |payment| payment["id"] == OF_SESSION);
    (payment["id"], payment["latest_charge"]) = (json!("pi_another"), json!("ch_another"));
    payment["metadata"]["quantity"] = json!("1");
    bureau.happened(&[], &[payment]).await;
    mended(&bureau, "payment", ["1 × pack_2000 for 2000 usd", "nothing"]).await;
    assert_eq!(bureau.desk.ada().await, before + 2_000);
}

/// Of what is otherwise in two ways, one can be told: that is, and the other one stays.
#[tokio::test]
async fn what_can_be_told_is_and_what_is_kept_stays_reported() {
    let (bureau, happened) = bureau().await;
    let mut invoice = object(&happened, "invoice", |invoice| invoice["id"] == RENEWED);
    (invoice["payment_intent"], invoice["total"]) = (json!("pi_another"), json!(2_499));
    bureau.happened(&[], &[invoice]).await;
    let found = only(&bureau.run(false).await, "both");
    assert_eq!(found.stripe_says, format!("pi_another paid {RENEWED}; total 2499"));
    assert_eq!((found.ledger_says.as_str(), &found.cause), ("nothing; total 1999", &UntoldCause::NoEvent));
    let left = only(&bureau.run(true).await, "one");
    assert_eq!((left.stripe_says.as_str(), left.repaired), ("total 2499", false));
    assert_eq!(left.cause, UntoldCause::Kept { because: StoredFigures::Amount });
    assert_eq!(only(&bureau.run(true).await, "the same one"), left);
}

#[tokio::test]
async fn which_payment_paid_an_invoice_is_told_where_that_was_lost() {
    let (bureau, happened) = bureau().await;
    let mut link = object(&happened, "invoice_payment", |_| true);
    (link["id"], link["invoice"]) = (json!("inpay_another"), json!(RENEWED));
    link["amount_paid"] = json!(1_999);
    link["payment"]["payment_intent"] = json!("pi_another");
    bureau.happened(&[], &[link]).await;
    mended(&bureau, "link", ["pi_another paid in_1QLedgerAda00000000000A3", "nothing"]).await;
}
