//! Invoices that are not paid: which states the ledger was not told of, or otherwise.

use counterfoil::{
    domain::time::Timestamp,
    stripe::inbound::reconcile::{Drift, ReconcileReport, StoredFigures, Subject, UntoldCause},
};
use serde_json::{Value, json};

use super::planted::shown;
use crate::support::{
    bureau::{Bureau, until},
    documents::{SHAPES, value},
};

const UNPAID: &str = "in_1QLedgerAda00000000000A4";

/// A ledger that knows that the payment of a renewal failed.
async fn arrears() -> (Bureau, Value) {
    let bureau = Bureau::open(Timestamp::parse("2025-08-02T00:00:00Z").unwrap()).await;
    let happened = until(SHAPES[1], bureau.desk.clock().now());
    for event in &happened {
        bureau.desk.take(event).await;
    }
    bureau.desk.work().await;
    bureau.happened(&happened, &[]).await;
    (bureau, value(SHAPES[1], "invoice.payment_failed.json")["data"]["object"].clone())
}

fn in_state(invoice: &Value, status: &str) -> Value {
    let mut invoice = invoice.clone();
    invoice["status"] = json!(status);
    invoice["status_transitions"]["voided_at"] = json!((status == "void").then_some(1_754_050_000));
    invoice["status_transitions"]["marked_uncollectible_at"] =
        json!((status == "uncollectible").then_some(1_754_050_000));
    invoice
}

fn is_the_same(report: &ReconcileReport) {
    assert!(report.is_the_same(), "{}{:?}", shown(&report.drifts), report.not_compared);
}

fn only(report: &ReconcileReport) -> Drift {
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    assert_eq!(drift.subject, Subject::UnpaidInvoice);
    drift.clone()
}

async fn is_mended(bureau: &Bureau, says: [&str; 2]) {
    let drift = only(&bureau.run(false).await);
    assert_eq!([drift.stripe_says.as_str(), drift.ledger_says.as_str()], says);
    assert_eq!(drift.cause, UntoldCause::NoEvent);
    assert_eq!(bureau.run(true).await.remaining(), 0);
    is_the_same(&bureau.run(false).await);
}

async fn is_kept(bureau: &Bureau, says: [&str; 2], because: StoredFigures) {
    let drift = only(&bureau.run(true).await);
    assert_eq!([drift.stripe_says.as_str(), drift.ledger_says.as_str()], says);
    assert_eq!((drift.cause, drift.repaired), (UntoldCause::Kept { because }, false));
}

/// An end that no event told of is told, and cannot be taken back.
#[tokio::test]
async fn an_invoice_that_will_not_be_paid_is_reported() {
    for (status, before) in [("uncollectible", "its payment failed"), ("void", "its payment failed")] {
        let (bureau, invoice) = arrears().await;
        is_the_same(&bureau.run(false).await);
        bureau.happened(&[], &[in_state(&invoice, status)]).await;
        is_mended(&bureau, [status, before]).await;
        bureau.happened(&[], &[in_state(&invoice, "open")]).await;
        is_kept(&bureau, ["open", status], StoredFigures::End).await;
    }
}

#[tokio::test]
async fn an_invoice_that_was_paid_here_and_is_void_at_stripe_is_reported() {
    let (bureau, _) = arrears().await;
    let paid = value(SHAPES[1], "invoice.paid.subscription_cycle.json")["data"]["object"].clone();
    bureau.happened(&[], &[in_state(&paid, "void")]).await;
    is_kept(&bureau, ["void", "paid 1999 usd"], StoredFigures::Amount).await;
}

/// What it would have paid for decides which plan is not given.
#[tokio::test]
async fn what_an_unpaid_invoice_would_have_paid_for_is_compared() {
    let (bureau, mut invoice) = arrears().await;
    let line = &mut invoice["lines"]["data"][0];
    line["pricing"]["price_details"]["price"] = json!("price_1QLedgerTeamMonthly000003");
    bureau.happened(&[], &[invoice]).await;
    let drift = only(&bureau.run(true).await);
    assert!(drift.stripe_says.starts_with("team from "), "{}", drift.stripe_says);
    assert_eq!((drift.cause, drift.repaired), (UntoldCause::Kept { because: StoredFigures::Amount }, false));
}

/// Before anything was paid, an invoice that waits for its money means that there is no plan yet.
#[tokio::test]
async fn a_first_invoice_that_waits_for_its_money_is_reported_and_a_later_one_is_not() {
    let bureau = Bureau::open(Timestamp::parse("2025-06-02T00:00:00Z").unwrap()).await;
    let told = ["customer.created.json", "customer.subscription.created.json"];
    bureau.desk.tell(&told).await;
    bureau.happened(&told.map(|file| value(SHAPES[1], file)), &[]).await;
    is_the_same(&bureau.run(false).await);
    let mut first = value(SHAPES[1], "invoice.paid.subscription_create.json")["data"]["object"].clone();
    first = in_state(&first, "open");
    (first["amount_paid"], first["amount_remaining"]) = (json!(0), json!(999));
    bureau.happened(&[], &[first]).await;
    is_mended(&bureau, ["open", "nothing"]).await;

    let (bureau, mut invoice) = arrears().await;
    invoice["id"] = json!("in_later");
    bureau.happened(&[], std::slice::from_ref(&invoice)).await;
    is_the_same(&bureau.run(false).await);
    bureau.happened(&[], &[in_state(&invoice, "void")]).await;
    is_mended(&bureau, ["void", "nothing"]).await;
    assert_ne!(invoice["id"], UNPAID);
}

/// Nothing of a larger plan is there before its money.
#[tokio::test]
async fn an_invoice_of_a_change_that_waits_for_its_money_is_reported() {
    let (bureau, mut invoice) = arrears().await;
    (invoice["id"], invoice["billing_reason"]) = (json!("in_change"), json!("subscription_update"));
    bureau.happened(&[], &[invoice]).await;
    is_mended(&bureau, ["open", "nothing"]).await;
}
