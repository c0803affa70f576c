//! Credit notes that were lost, or that are otherwise than the ledger was told: only they say what was put on a
//! customer's balance, or given back outside of Stripe.

use counterfoil::stripe::inbound::reconcile::{Drift, ReconcileReport, StoredFigures, Subject, UntoldCause};
use serde_json::{Value, json};

use super::planted::{bureau, shown};
use crate::support::bureau::Bureau;

const NOTE: &str = "cn_1QLedgerAda0000000001";
const RENEWED: &str = "in_1QLedgerAda00000000000A3";
/// 2025-07-10.
const ISSUED: i64 = 1_752_105_600;

/// A third or so of a renewal goes to the customer's balance.
pub fn note() -> Value {
    json!({
        "id": NOTE, "object": "credit_note", "amount": 500, "created": ISSUED, "currency": "usd",
        "customer": "cus_QLedgerAda0001", "customer_balance_transaction": "cbtxn_1QLedgerAda0000000001",
        "invoice": RENEWED, "livemode": false, "out_of_band_amount": null, "post_payment_amount": 500,
        "pre_payment_amount": 0, "refunds": [], "status": "issued", "total": 500, "type": "post_payment",
        "voided_at": null,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut note = note();
    note[name] = value;
    note
}

fn void() -> Value {
    let mut note = with("status", json!("void"));
    note["voided_at"] = json!(ISSUED + 86_400);
    note
}

pub fn event(kind: &str, note: &Value) -> Value {
    let created = if kind == "credit_note.voided" { &note["voided_at"] } else { &note["created"] };
    json!({
        "id": format!("evt_{kind}"), "object": "event", "type": kind, "created": created, "livemode": false,
        "data": { "object": note },
    })
}

async fn tell(bureau: &Bureau, kind: &str, note: &Value) {
    let event = bureau.desk.take(&event(kind, note)).await;
    bureau.desk.work().await;
    assert_eq!(bureau.desk.reason(&event).await, "", "{kind} is processed");
}

async fn is(bureau: &Bureau, note: Value) {
    bureau.happened(&[], &[note]).await;
}

fn only(report: &ReconcileReport) -> Drift {
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    assert_eq!((drift.subject, drift.object.as_str()), (Subject::CreditNote, NOTE));
    drift.clone()
}

async fn is_the_same(bureau: &Bureau) {
    let report = bureau.run(false).await;
    assert!(report.found_nothing(), "{}", shown(&report.drifts));
    assert_eq!(report.read["credit_note"], 1);
}

/// One of which an event can still tell.
async fn is_mended(bureau: &Bureau, says: [&str; 2]) {
    let drift = only(&bureau.run(false).await);
    assert_eq!([drift.stripe_says.as_str(), drift.ledger_says.as_str()], says);
    assert_eq!((drift.cause, drift.repaired), (UntoldCause::NoEvent, false));
    let repaired = bureau.run(true).await;
    assert_eq!((repaired.remaining(), only(&repaired).repaired), (0, true));
    is_the_same(bureau).await;
}

/// One that the ledger keeps as it was told.
async fn is_kept(bureau: &Bureau, says: [&str; 2], because: StoredFigures) {
    let drift = only(&bureau.run(false).await);
    assert_eq!([drift.stripe_says.as_str(), drift.ledger_says.as_str()], says);
    assert_eq!(drift.cause, UntoldCause::Kept { because });
    let before = bureau.desk.ada().await;
    let repaired = bureau.run(true).await;
    assert_eq!((repaired.remaining(), only(&repaired)), (1, drift));
    assert_eq!(bureau.desk.ada().await, before);
}

#[tokio::test]
async fn a_note_that_was_lost_takes_what_its_event_would_have_taken() {
    let (told, _) = bureau().await;
    let before = told.desk.ada().await;
    tell(&told, "credit_note.created", &note()).await;
    let after = told.desk.ada().await;
    assert!(after < before, "{before} to {after}");

    let (lost, _) = bureau().await;
    is(&lost, note()).await;
    is_mended(&lost, ["500 usd credited", "nothing"]).await;
    assert_eq!(lost.desk.ada().await, after);
    // The event comes after all.
    tell(&lost, "credit_note.created", &note()).await;
    assert_eq!(lost.desk.ada().await, after);
    is_the_same(&lost).await;
}

#[tokio::test]
async fn a_note_whose_event_is_listed_is_fetched() {
    let (bureau, _) = bureau().await;
    bureau.happened(&[event("credit_note.created", &note())], &[]).await;
    let found = bureau.run(false).await;
    let UntoldCause::EventMissing { event } = &only(&found).cause else { panic!("{found:#?}") };
    assert_eq!(event.as_str(), "evt_credit_note.created");
    let fetched = bureau.run(true).await;
    assert_eq!((fetched.missing_events.len(), fetched.remaining()), (1, 0));
    is_the_same(&bureau).await;
}

#[tokio::test]
async fn a_note_that_was_voided_gives_back_what_it_took() {
    let (bureau, _) = bureau().await;
    let before = bureau.desk.ada().await;
    tell(&bureau, "credit_note.created", &note()).await;
    is(&bureau, note()).await;
    is_the_same(&bureau).await;
    is(&bureau, void()).await;
    is_mended(&bureau, ["500 usd credited, void", "500 usd credited"]).await;
    assert_eq!(bureau.desk.ada().await, before);
    // Void is void, whatever Stripe says then.
    is(&bureau, note()).await;
    is_kept(&bureau, ["500 usd credited", "500 usd credited, void"], StoredFigures::End).await;
}

#[tokio::test]
async fn a_note_of_which_nothing_was_told_takes_nothing_when_it_is_void() {
    let (bureau, _) = bureau().await;
    let before = bureau.desk.ada().await;
    is(&bureau, void()).await;
    is_mended(&bureau, ["500 usd credited, void", "nothing"]).await;
    assert_eq!(bureau.desk.ada().await, before);
}

#[tokio::test]
async fn a_note_of_another_amount_is_reported_and_kept() {
    let (bureau, _) = bureau().await;
    tell(&bureau, "credit_note.created", &note()).await;
    for (name, value, says) in [
        ("post_payment_amount", json!(400), "400 usd credited"),
        ("currency", json!("eur"), "500 eur credited"),
        (
            "refunds",
            json!([{ "amount_refunded": 200, "refund": "re_1", "type": "refund" }]),
            "300 usd credited",
        ),
    ] {
        is(&bureau, with(name, value)).await;
        is_kept(&bureau, [says, "500 usd credited"], StoredFigures::Amount).await;
    }
    is(&bureau, with("invoice", json!("in_1QLedgerAda00000000000A2"))).await;
    let of = |invoice: &str| format!("a credit note of {invoice}");
    let [said, held] = [of("in_1QLedgerAda00000000000A2"), of(RENEWED)];
    is_kept(&bureau, [&said, &held], StoredFigures::Purpose).await;
    // Nothing is told of what gave nothing back, and the ledger says that it did.
    is(&bureau, with("post_payment_amount", json!(0))).await;
    let nothing = "it took something off before the invoice was paid, or its refund reports the money";
    is_kept(&bureau, [nothing, "500 usd credited"], StoredFigures::Amount).await;
    is(&bureau, note()).await;
    is_the_same(&bureau).await;
}

/// Neither what a note took off before its invoice was paid, nor a note on an invoice of somebody else's.
#[tokio::test]
async fn a_note_that_is_none_of_the_ledgers_is_no_difference() {
    let (bureau, _) = bureau().await;
    for (name, value) in [("post_payment_amount", json!(0)), ("invoice", json!("in_of_somebody_else"))] {
        is(&bureau, with(name, value)).await;
        is_the_same(&bureau).await;
    }
}
