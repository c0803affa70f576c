//! What Stripe has closed or deleted meanwhile: is it reported, and closed here too?

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
    stripe::inbound::reconcile::{StoredFigures, Subject, UntoldCause},
};
use serde_json::{Value, json};

use super::planted::{bureau, shown};
use super::unfounded::{CUSTOMER, is_the_same, says};
use crate::support::{
    documents::{ADA, SHAPES, value},
    ledger::request,
};

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
