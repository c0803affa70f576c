//! What the ledger was told of and Stripe does not have: each kind of object is told of by itself, and looked for.

use chrono::TimeDelta;
use counterfoil::{
    domain::{
        command::{CheckoutStep, Command, PurchaseCommand, RecordCheckout},
        event::PaymentPurpose,
        ids::ProviderId,
        metadata::Metadata,
        time::Timestamp,
    },
    ledger::IdempotencyKey,
    stripe::inbound::reconcile::{
        Drift, ReconcileError, ReconcileOptions, ReconcileReport, Reconciler, StoredFigures, Subject,
        UntoldCause,
    },
};
use serde_json::{Value, json};

use super::{
    credited::{event, note},
    planted::{bureau, object, shown},
};
use crate::{
    database::audit::tamper,
    support::{
        bureau::Bureau,
        documents::{ADA, SHAPES, here, value},
        ledger::{request, start},
        shop::client,
    },
};

/// An event about something of which Stripe knows nothing, and what is said of it then.
struct Told {
    kind: &'static str,
    event: fn() -> Value,
    /// What, and in the ledger's words.
    reported: &'static [(Subject, &'static str, &'static str)],
}

/// The story's event about another object: what its ids end with is put in place of how they end in the story.
fn another(file: &str, ids: &[(&str, &str)]) -> Value {
    let mut text = value(SHAPES[1], file).to_string();
    for (id, other) in ids {
        assert!(text.contains(id), "{file} has no {id}");
        text = text.replace(id, other);
    }
    let mut event: Value = serde_json::from_str(&text).unwrap();
    event["id"] = json!(format!("evt_unfounded_{file}"));
    event
}

const RENEWED: &str = "in_1QLedgerAda00000000000A3";
const UNPAID: &str = "in_1QLedgerAda00000000000A4";
const REFUND: &str = "re_3QLedgerAda00000000000R1";
const DISPUTE: &str = "du_1QLedgerAda00000000000D1";
const SESSION: &str = "cs_test_b1LedgerAdaTop0000000000000000000000000000000000001";
const OF_SESSION: &str = "pi_3QLedgerAda00000000000T1";
const CANCELED: &str = "pi_3QLedgerAda00000000000T6";
const OF_INVOICE: &str = "pi_3QLedgerAda00000000000A1";
const CREATED: &str = "in_1QLedgerAda00000000000A1";
const CHARGE: &str = "ch_3QLedgerAda00000000000T1";
const CUSTOMER: &str = "cus_QLedgerAda0001";

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

async fn take(bureau: &Bureau, event: &Value) {
    let id = bureau.desk.take(event).await;
    bureau.desk.work().await;
    assert_eq!(bureau.desk.reason(&id).await, "", "{id} is processed");
}

fn says(drift: &Drift) -> (Subject, &str, &str) {
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

fn is_the_same(report: &ReconcileReport) {
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

/// A customer that was deleted long ago, without an event that could still be fetched.
#[tokio::test]
async fn a_deleted_customer_is_reported_and_unlinked() {
    let (bureau, _) = bureau().await;
    let deleted = json!({ "id": CUSTOMER, "object": "customer", "deleted": true });
    bureau.happened(&[], &[deleted]).await;
    let report = bureau.run(false).await;
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    assert_eq!((drift.subject, drift.object.as_str()), (Subject::Customer, CUSTOMER));
    assert_eq!([drift.stripe_says.as_str(), &drift.ledger_says], ["deleted", "it is the account's customer"]);
    assert_eq!(bureau.run(true).await.remaining(), 0);
    is_the_same(&bureau.run(false).await);
    // It is gone for good, whatever Stripe says then.
    let created = value(SHAPES[1], "customer.created.json")["data"]["object"].clone();
    bureau.happened(&[], &[created]).await;
    let report = bureau.run(true).await;
    let [drift] = report.drifts.as_slice() else { panic!("{}", shown(&report.drifts)) };
    assert_eq!([drift.stripe_says.as_str(), &drift.ledger_says], ["it is there", "it is gone"]);
    assert_eq!((&drift.cause, drift.repaired), (&UntoldCause::Kept { because: StoredFigures::End }, false));
}

const PAGE: &str = "cs_page";

fn page(status: &str, at: Timestamp) -> Value {
    json!({
        "id": PAGE, "object": "checkout.session", "created": at.seconds(), "customer": CUSTOMER, "invoice": null,
        "client_reference_id": ADA, "livemode": false, "metadata": { "account_id": ADA }, "mode": "subscription",
        "payment_intent": null, "payment_status": if status == "complete" { "paid" } else { "unpaid" },
        "status": status, "expires_at": at.plus(TimeDelta::hours(2)).seconds(), "subscription": null,
    })
}

/// On which a plan could be paid for beside another one.
#[tokio::test]
async fn a_page_that_is_not_open_any_more_is_reported_and_closed() {
    for (status, says) in [("expired", "expired"), ("complete", "completed")] {
        let (bureau, _) = bureau().await;
        let at = bureau.desk.clock().now();
        let started = Command::Purchase(PurchaseCommand::RecordCheckout(RecordCheckout {
            session: ProviderId::parse(PAGE).unwrap(),
            step: CheckoutStep::Started,
            purpose: PaymentPurpose::Subscription { subscription: None, plan: None },
            customer: None,
            sold: None,
            metadata: Metadata::default(),
            invoice: None,
            effective_at: at,
        }));
        bureau.desk.test.ledger.execute(request(ADA, started, IdempotencyKey::caller("page"))).await.unwrap();
        bureau.desk.pass(60);
        let gone = bureau.run(false).await;
        assert_eq!(
            gone.drifts.iter().map(self::says).collect::<Vec<_>>(),
            [(Subject::Checkout, PAGE, "open")]
        );
        bureau.happened(&[], &[page("open", at)]).await;
        is_the_same(&bureau.run(false).await);
        bureau.happened(&[], &[page(status, at)]).await;
        let report = bureau.run(false).await;
        let [drift] = report.drifts.as_slice() else { panic!("{status}: {}", shown(&report.drifts)) };
        assert_eq!((drift.subject, drift.object.as_str()), (Subject::Checkout, PAGE));
        assert_eq!([drift.stripe_says.as_str(), &drift.ledger_says], [says, "open"]);
        assert_eq!(bureau.run(true).await.remaining(), 0, "{status}");
        is_the_same(&bureau.run(false).await);
    }
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

/// What was recorded under an id that Stripe would not give cannot be asked for, and is not said to be the same.
#[tokio::test]
async fn what_cannot_be_asked_for_is_said() {
    let (bureau, _) = bureau().await;
    take(&bureau, &another("refund.created.json", &[(REFUND, "refund_1")])).await;
    let report = bureau.run(false).await;
    assert!(report.found_nothing() && !report.is_the_same(), "{}", shown(&report.drifts));
    let [left_out] = report.not_compared.as_slice() else { panic!("{:?}", report.not_compared) };
    assert_eq!(left_out.because, "refund_1 is not how Stripe writes an id of its own");
    assert_eq!(left_out.subject, Some(Subject::Refund));
}

/// An event that cannot be read may have named anything.
#[tokio::test]
async fn what_an_event_names_that_cannot_be_read_is_said() {
    let (bureau, _) = bureau().await;
    let damage = "update ledger.events set payload = '{}' where event_type = 'RefundIssued'";
    tamper(&bureau.desk.test, damage).await;
    let report = bureau.run(false).await;
    assert!(!report.is_the_same());
    let said =
        |because: &str| report.not_compared.iter().any(|left_out| left_out.because.starts_with(because));
    assert!(said("the event at position "), "{:?}", report.not_compared);
    // Nor can the account that has it, so nothing is said of what it paid.
    assert!(said("its account cannot be read"), "{:?}", report.not_compared);
}

/// By an instance that has to read every account first.
async fn read_anew(bureau: &Bureau) -> ReconcileReport {
    let test = &bureau.desk.test;
    let (ledger, _running) = start(test.database.pool(), test.clock.clone()).await;
    let stripe = client("sk_test_another", &bureau.sandbox.url());
    let reconciler = Reconciler::new(stripe, bureau.desk.inbox.clone(), ledger, here());
    let since = test.clock.now().minus(TimeDelta::days(365));
    let order = ReconcileOptions { since, fetch_events: false, rebuild_events: false };
    reconciler.run(order, |_, _| {}).await.unwrap()
}

/// As an earlier release recorded it: that a period was paid for, and not by which lines.
#[tokio::test]
async fn an_invoice_of_which_the_lines_were_not_kept_is_said() {
    let (bureau, _) = bureau().await;
    let earlier = format!(
        "update ledger.events set event_type = 'PeriodPaid', payload = json_build_object('PeriodPaid', \
         json_build_object('term', json_build_object( \
             'subscription', payload #> '{{InvoicePaid,invoice,subscription}}', 'plan', 'creator', \
             'period', payload #> '{{InvoicePaid,invoice,lines,0,period}}', 'monthly', 3000), \
         'effective_at', payload #> '{{InvoicePaid,effective_at}}')) \
         where event_type = 'InvoicePaid' and payload #>> '{{InvoicePaid,invoice,invoice}}' = '{RENEWED}'"
    );
    tamper(&bureau.desk.test, &earlier).await;
    let report = read_anew(&bureau).await;
    let left_out = report
        .not_compared
        .iter()
        .find(|left_out| left_out.object.as_ref().is_some_and(|object| object.as_str() == RENEWED));
    let left_out = left_out.unwrap_or_else(|| panic!("{}{:?}", shown(&report.drifts), report.not_compared));
    assert_eq!(left_out.because, "it was paid before its lines were kept, so only the sum is compared");
}

#[tokio::test]
async fn objects_of_the_other_mode_end_the_comparison() {
    let (bureau, happened) = bureau().await;
    let mut live = object(&happened, "refund", |_| true);
    live["livemode"] = json!(true);
    bureau.happened(&[], &[live]).await;
    let since = bureau.desk.clock().now().minus(TimeDelta::days(365));
    let order = ReconcileOptions { since, fetch_events: true, rebuild_events: true };
    let error = bureau.reconciler.run(order, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, ReconcileError::OtherMode), "{error:?}");
}
