//! What the ledger was told of and Stripe does not have: each kind of object is told of by itself, and looked for.

use chrono::TimeDelta;
use counterfoil::{
    domain::time::Timestamp,
    stripe::inbound::reconcile::{
        Drift, ReconcileOptions, ReconcileReport, StoredFigures, Subject, UntoldCause,
    },
};
use serde_json::{Value, json};

use super::{
    credited::{event, note},
    planted::{bureau, object, shown},
};
use crate::support::{
    bureau::Bureau,
    documents::{ADA, SHAPES, value},
};

/// An event about something of which Stripe knows nothing, and what is said of it then.
struct Told {
    kind: &'static str,
    event: fn() -> Value,
    /// What, and in the ledger's words.
    reported: &'static [(Subject, &'static str, &'static str)],
}

/// The story's event about another object: what its ids end with is put in place of how they end in the story.
pub(super) fn another(file: &str, ids: &[(&str, &str)]) -> Value {
    let mut text = value(SHAPES[1], file).to_string();
    for (id, other) in ids {
        assert!(text.contains(id), "{file} has no {id}");
        text = text.replace(id, other);
    }
    let mut event: Value = serde_json::from_str(&text).unwrap();
    event["id"] = json!(format!("evt_unfounded_{file}"));
    event
}

pub(super) const RENEWED: &str = "in_1QLedgerAda00000000000A3";
const UNPAID: &str = "in_1QLedgerAda00000000000A4";
pub(super) const REFUND: &str = "re_3QLedgerAda00000000000R1";
const DISPUTE: &str = "du_1QLedgerAda00000000000D1";
const SESSION: &str = "cs_test_b1LedgerAdaTop0000000000000000000000000000000000001";
const OF_SESSION: &str = "pi_3QLedgerAda00000000000T1";
const CANCELED: &str = "pi_3QLedgerAda00000000000T6";
const OF_INVOICE: &str = "pi_3QLedgerAda00000000000A1";
const CREATED: &str = "in_1QLedgerAda00000000000A1";
const CHARGE: &str = "ch_3QLedgerAda00000000000T1";
pub(super) const CUSTOMER: &str = "cus_QLedgerAda0001";

fn gone_note() -> Value {
    let mut note = note();
    note["id"] = json!("cn_gone");
    event("credit_note.created", &note)
}

fn gone_purchase() -> Value {
    let mut event = another("payment_intent.succeeded.json", &[(OF_SESSION, "pi_gone")]);
    event["data"]["object"]["metadata"]["quantity"] = json!("1");
    event
}

fn void_note() -> Value {
    let mut note = note();
    note["id"] = json!("cn_void");
    (note["status"], note["voided_at"]) = (json!("void"), json!(1_752_192_000));
    event("credit_note.voided", &note)
}

fn gone_free_invoice() -> Value {
    let mut event = another("invoice.paid.subscription_cycle.json", &[(RENEWED, "in_free")]);
    event["id"] = json!("evt_unfounded_free");
    (event["data"]["object"]["amount_paid"], event["data"]["object"]["amount_due"]) = (json!(0), json!(0));
    event
}

const TOLD: [Told; 16] = [
    Told {
        kind: "customer",
        event: || another("customer.created.json", &[(CUSTOMER, "cus_gone")]),
        reported: &[(Subject::Customer, "cus_gone", "it is the account's customer")],
    },
    Told {
        kind: "paid invoice",
        event: || another("invoice.paid.subscription_cycle.json", &[(RENEWED, "in_gone")]),
        reported: &[(Subject::PaidInvoice, "in_gone", "paid 1999 usd")],
    },
    Told {
        kind: "invoice of which the payment failed",
        event: || another("invoice.payment_failed.json", &[(UNPAID, "in_failed")]),
        reported: &[(Subject::UnpaidInvoice, "in_failed", "its payment failed")],
    },
    Told {
        kind: "invoice of which the payment has to be confirmed",
        event: || another("invoice.payment_action_required.json", &[(UNPAID, "in_action")]),
        reported: &[(Subject::UnpaidInvoice, "in_action", "999 usd has to be confirmed")],
    },
    Told {
        kind: "payment of an invoice",
        event: || another("invoice_payment.paid.json", &[(OF_INVOICE, "pi_link"), (CREATED, RENEWED)]),
        reported: &[(Subject::InvoicePayment, "pi_link", "pi_link paid in_1QLedgerAda00000000000A3")],
    },
    Told {
        kind: "checkout, with its payment",
        event: || {
            another(
                "checkout.session.completed.topup.json",
                &[(SESSION, "cs_gone"), (OF_SESSION, "pi_session")],
            )
        },
        reported: &[
            (Subject::Checkout, "cs_gone", "completed"),
            (Subject::Payment, "pi_session", "paid 2000 usd"),
        ],
    },
    Told {
        kind: "payment of a pack",
        event: gone_purchase,
        reported: &[(Subject::Payment, "pi_gone", "paid 2000 usd")],
    },
    Told {
        kind: "payment that failed",
        event: || another("payment_intent.payment_failed.json", &[(CANCELED, "pi_failed")]),
        reported: &[(Subject::Payment, "pi_failed", "2000 usd was not paid")],
    },
    Told {
        kind: "total of a payment",
        event: || another("charge.refunded.json", &[(OF_SESSION, "pi_gone"), (CHARGE, "ch_gone")]),
        reported: &[(Subject::Refund, "pi_gone", "1000 usd went back in all")],
    },
    Told {
        kind: "refund",
        event: || another("refund.created.json", &[(REFUND, "re_gone")]),
        reported: &[(Subject::Refund, "re_gone", "1000 usd went back")],
    },
    Told {
        kind: "refund of which only that it failed was told",
        event: || another("refund.failed.json", &[(REFUND, "re_failed")]),
        reported: &[(Subject::Refund, "re_failed", "1000 usd did not go back after all")],
    },
    Told {
        kind: "credit note that is void",
        event: void_note,
        reported: &[(Subject::CreditNote, "cn_void", "500 usd credited, void")],
    },
    Told {
        kind: "dispute of which only the end was told",
        event: || another("charge.dispute.closed.json", &[(DISPUTE, "du_lost")]),
        reported: &[(Subject::Dispute, "du_lost", "lost")],
    },
    Told {
        kind: "invoice that a balance paid",
        event: gone_free_invoice,
        reported: &[(Subject::PaidInvoice, "in_free", "paid 0 usd")],
    },
    Told {
        kind: "credit note",
        event: gone_note,
        reported: &[(Subject::CreditNote, "cn_gone", "500 usd credited")],
    },
    Told {
        kind: "dispute",
        event: || another("charge.dispute.created.json", &[(DISPUTE, "du_gone")]),
        reported: &[(Subject::Dispute, "du_gone", "open")],
    },
];

pub(super) async fn take(bureau: &Bureau, event: &Value) {
    let id = bureau.desk.take(event).await;
    bureau.desk.work().await;
    assert_eq!(bureau.desk.reason(&id).await, "", "{id} is processed");
}

pub(super) fn says(drift: &Drift) -> (Subject, &str, &str) {
    (drift.subject, drift.object.as_str(), &drift.ledger_says)
}

/// What is gone is told of by nobody, so it stays reported.
#[tokio::test]
async fn what_stripe_does_not_have_is_reported_of_each_kind() {
    let (bureau, _) = bureau().await;
    let mut known: Vec<(Subject, &str, &str)> = Vec::new();
    for Told { kind, event, reported } in TOLD {
        take(&bureau, &event()).await;
        let report = bureau.run(false).await;
        known.extend(reported);
        known.sort_unstable();
        let mut found: Vec<_> = report.drifts.iter().map(says).collect();
        found.sort_unstable();
        assert_eq!(found, known, "{kind}");
        let new = report.drifts.iter().filter(|drift| reported.contains(&says(drift)));
        for drift in new {
            assert_eq!(drift.stripe_says, "nothing", "{kind}");
            assert_eq!(drift.cause, UntoldCause::Kept { because: StoredFigures::Existence }, "{kind}");
            assert_eq!(drift.account.as_ref().map(|account| account.as_str()), Some(ADA), "{kind}");
        }
        assert_eq!(report.not_compared, [], "{kind}");
    }
    let repaired = bureau.run(true).await;
    assert_eq!(repaired.remaining(), known.len(), "no event mends that");
}

/// What was told before the time that is compared is not asked for.
#[tokio::test]
async fn what_is_older_than_what_is_compared_is_not_looked_for() {
    let (bureau, _) = bureau().await;
    take(&bureau, &another("refund.created.json", &[(REFUND, "re_gone")])).await;
    let run = async |days| {
        let since = bureau.desk.clock().now().minus(TimeDelta::days(days));
        let order = ReconcileOptions { since, fetch_events: false, rebuild_events: false };
        bureau.reconciler.run(order, |_, _| {}).await.unwrap()
    };
    let lately = run(20).await;
    assert!(lately.found_nothing(), "{}", shown(&lately.drifts));
    assert_eq!(run(40).await.drifts.len(), 1);
}

const OLD: i64 = 1_500_000_000;

pub(super) fn is_the_same(report: &ReconcileReport) {
    assert!(report.is_the_same(), "{}{:?}", shown(&report.drifts), report.not_compared);
}

/// Objects that were made before the time that is compared, and of which something was told since: Stripe does not list
/// them, and has them.
#[tokio::test]
async fn what_stripe_does_not_list_is_asked_for_by_its_id_and_compared() {
    let (bureau, happened) = bureau().await;
    take(&bureau, &event("credit_note.created", &note())).await;
    bureau.happened(&[], &[note()]).await;
    let before = bureau.run(false).await;
    is_the_same(&before);
    let kinds = [
        ("invoice", Subject::PaidInvoice, "amount_paid"),
        ("invoice_payment", Subject::InvoicePayment, "amount_paid"),
        ("checkout.session", Subject::Checkout, "amount_total"),
        ("payment_intent", Subject::Payment, "amount_received"),
        ("refund", Subject::Refund, "amount"),
    ];
    for (kind, subject, amount) in kinds {
        let fits = |object: &Value| match kind {
            "invoice" => object["id"] == RENEWED,
            "checkout.session" => object["id"] == SESSION,
            "payment_intent" => object["id"] == OF_SESSION,
            _ => true,
        };
        let mut old = object(&happened, kind, fits);
        let whole = old.clone();
        old["created"] = json!(OLD);
        // A payment is also known by its session.
        let beside = (kind == "payment_intent").then(|| {
            let mut session = object(&happened, "checkout.session", |session| session["id"] == SESSION);
            session["created"] = json!(OLD);
            session
        });
        let objects: Vec<Value> = beside.into_iter().chain([old.clone()]).collect();
        bureau.happened(&[], &objects).await;
        let report = bureau.run(false).await;
        is_the_same(&report);
        assert!(report.read[subject.as_str()] < before.read[subject.as_str()], "{kind} is listed");
        assert!(report.read["asked"] > before.read["asked"], "{kind} is not asked for");
        old[amount] = json!(old[amount].as_i64().unwrap() - 1);
        bureau.happened(&[], &[old]).await;
        let report = bureau.run(false).await;
        let [drift] = report.drifts.as_slice() else { panic!("{kind}: {}", shown(&report.drifts)) };
        assert_eq!(drift.subject, subject, "{kind}");
        bureau.happened(&[], &[whole]).await;
    }
}

/// It is there, and has not come as far as the ledger says.
#[tokio::test]
async fn what_is_not_finished_at_stripe_is_reported() {
    let (bureau, happened) = bureau().await;
    for (id, subject, status, ledger_says) in [
        (RENEWED, Subject::PaidInvoice, "draft", "paid 1999 usd"),
        (SESSION, Subject::Checkout, "open", "completed"),
    ] {
        let whole = happened.iter().rfind(|event| event["data"]["object"]["id"] == id).unwrap();
        let whole = whole["data"]["object"].clone();
        let mut planted = whole.clone();
        planted["status"] = json!(status);
        bureau.happened(&[], &[planted]).await;
        let report = bureau.run(false).await;
        let drift = report.drifts.iter().find(|drift| drift.object.as_str() == id);
        let drift = drift.unwrap_or_else(|| panic!("{id}: {}", shown(&report.drifts)));
        assert_eq!((drift.subject, drift.ledger_says.as_str()), (subject, ledger_says), "{id}");
        assert_eq!(drift.stripe_says, format!("status {status}"), "{id}");
        assert_eq!(drift.cause, UntoldCause::Kept { because: StoredFigures::End }, "{id}");
        bureau.happened(&[], &[whole]).await;
    }
}

#[tokio::test]
async fn another_payment_of_an_invoice_is_reported() {
    let (bureau, happened) = bureau().await;
    let mut link = object(&happened, "invoice_payment", |_| true);
    link["payment"]["payment_intent"] = json!("pi_another");
    bureau.happened(&[], &[link]).await;
    let report = bureau.run(false).await;
    let said: Vec<_> =
        report.drifts.iter().map(|drift| (drift.object.as_str(), drift.stripe_says.as_str())).collect();
    let lost = format!("pi_another paid {CREATED}");
    assert_eq!(said, [("inpay_1QLedgerAda0000000001", lost.as_str()), (OF_INVOICE, lost.as_str())]);
    assert_eq!(report.drifts[1].cause, UntoldCause::Kept { because: StoredFigures::Purpose });
}

/// A total is known of a payment, and no single refund.
#[tokio::test]
async fn a_total_that_stripe_does_not_reach_is_reported() {
    let bureau = Bureau::open(Timestamp::parse("2025-06-26T00:00:00Z").unwrap()).await;
    let told = ["customer.created.json", "checkout.session.completed.topup.json", "charge.refunded.json"];
    bureau.desk.tell(&told).await;
    let happened = told.map(|file| value(SHAPES[1], file));
    bureau.happened(&happened, &[]).await;
    is_the_same(&bureau.run(false).await);
    let whole = object(&happened, "charge", |_| true);
    for (name, amount, says) in [
        ("amount_refunded", 500, ["500 went back in all", "1000 usd went back in all"]),
        ("amount_captured", 1_500, ["paid 1500", "paid 2000"]),
    ] {
        let mut charge = whole.clone();
        charge[name] = json!(amount);
        bureau.happened(&[], &[charge]).await;
        let report = bureau.run(false).await;
        let [drift] = report.drifts.as_slice() else { panic!("{name}: {}", shown(&report.drifts)) };
        assert_eq!((drift.subject, drift.object.as_str()), (Subject::Refund, OF_SESSION), "{name}");
        assert_eq!([drift.stripe_says.as_str(), &drift.ledger_says], says, "{name}");
        assert_eq!(drift.cause, UntoldCause::Kept { because: StoredFigures::Amount }, "{name}");
    }
}
