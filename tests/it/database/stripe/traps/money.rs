//! Money that comes by itself, late, or goes back.

use counterfoil::stripe::{inbound::inbox::InboxState, translate::SetAside};
use serde_json::{Value, json};

use super::{Desk, SHAPES, changed, translated_value, value};
use crate::support::documents::translated;

const TOP_UP: &str = "checkout.session.completed.topup.json";

#[tokio::test]
async fn trap_23_a_payment_grants_only_a_pack_that_was_sold_without_a_checkout() {
    for file in ["payment_intent.succeeded.subscription.json", "payment_intent.succeeded.json"] {
        assert!(matches!(translated(SHAPES[1], file), Err(SetAside::Ignored(_))), "{file}");
    }
    let direct = |id: &str, quantity: &str| {
        changed("payment_intent.succeeded.json", id, |payment| {
            payment["metadata"]["quantity"] = json!(quantity);
        })
    };
    assert!(matches!(translated_value(&direct("evt_wrong", "7")), Err(SetAside::NeedsReview(_))));
    let desk = Desk::open().await;
    desk.take(&direct("evt_direct", "1")).await;
    desk.work().await;
    // A session of the same payment adds nothing.
    desk.tell(&[TOP_UP]).await;
    assert_eq!(desk.ada().await, 2_050);
}

#[tokio::test]
async fn trap_24_a_pack_that_is_not_paid_yet_is_not_granted_yet() {
    let desk = Desk::open().await;
    desk.tell(&["checkout.session.completed.topup_async_unpaid.json"]).await;
    assert_eq!(desk.ada().await, 50);
    desk.tell(&["checkout.session.async_payment_succeeded.json"]).await;
    assert_eq!(desk.ada().await, 2_050);
    let free = changed(TOP_UP, "evt_free", |session| {
        session["payment_status"] = json!("no_payment_required");
        session["amount_total"] = json!(0);
        session["payment_intent"] = Value::Null;
    });
    desk.take(&free).await;
    desk.work().await;
    assert_eq!(desk.ada().await, 4_050);
}

#[tokio::test]
async fn trap_26_a_refund_is_cumulative_counted_once_and_given_back_when_it_fails() {
    let desk = Desk::open().await;
    desk.tell(&[TOP_UP, "charge.refunded.json"]).await;
    assert_eq!(desk.ada().await, 1_050);
    desk.tell(&["refund.created.json", "charge.refunded.json"]).await;
    assert_eq!(desk.ada().await, 1_050);
    desk.tell(&["charge.refunded.rest.json"]).await;
    assert_eq!(desk.ada().await, 50);
    desk.tell(&["refund.failed.json"]).await;
    assert_eq!(desk.ada().await, 1_050);
}

#[tokio::test]
async fn trap_26_a_refund_may_fail_before_it_is_reported_and_be_cancelled_in_an_update() {
    let desk = Desk::open().await;
    desk.tell(&["refund.failed.json", "charge.refunded.json"]).await;
    let waiting = desk.count().await[&InboxState::Waiting];
    assert_eq!(waiting, 2, "nothing is known of the payment yet");
    desk.tell(&["refund.created.json", TOP_UP]).await;
    assert_eq!(desk.count().await[&InboxState::Waiting], 0);
    assert_eq!(desk.ada().await, 2_050);
    let other = |id: &str, kind: &str, status: &str| {
        let mut event = changed("refund.created.json", id, |refund| {
            refund["id"] = json!("re_other");
            refund["status"] = json!(status);
        });
        event["type"] = kind.into();
        event
    };
    desk.take(&other("evt_pending", "refund.created", "pending")).await;
    desk.work().await;
    assert_eq!(desk.ada().await, 1_050);
    desk.take(&other("evt_cancelled", "charge.refund.updated", "canceled")).await;
    desk.work().await;
    assert_eq!(desk.ada().await, 2_050);
    assert!(matches!(
        translated_value(&other("evt_x", "refund.updated", "lost_in_space")),
        Err(SetAside::NeedsReview(_))
    ));
}

/// The older shapes have no events of single refunds: the total says the same amount again.
#[tokio::test]
async fn trap_26_a_total_that_is_reached_again_after_a_failure_counts_again() {
    let desk = Desk::open().await;
    desk.tell(&[TOP_UP, "charge.refunded.json", "refund.failed.json"]).await;
    assert_eq!(desk.ada().await, 2_050);
    let mut again = changed("charge.refunded.json", "evt_again", |_| ());
    again["created"] = json!(1_751_700_000);
    desk.take(&again).await;
    desk.work().await;
    assert_eq!(desk.ada().await, 1_050);
}

/// A refund of Ada's first invoice, which names only the payment.
fn refund_of_invoice() -> Value {
    changed("refund.created.json", "evt_refund_of_invoice", |refund| {
        refund["id"] = json!("re_of_invoice");
        refund["payment_intent"] = json!("pi_3QLedgerAda00000000000A1");
        refund["charge"] = json!("ch_3QLedgerAda00000000000A1");
        refund["amount"] = json!(333);
    })
}

#[tokio::test]
async fn trap_27_a_refund_finds_its_invoice_by_the_payment_in_any_order() {
    let events = |shape: &str| {
        let link = (shape == SHAPES[1]).then(|| value(shape, "invoice_payment.paid.json"));
        let invoice = value(shape, "invoice.paid.subscription_create.json");
        [Some(invoice), link, Some(refund_of_invoice())].into_iter().flatten().collect::<Vec<_>>()
    };
    for shape in SHAPES {
        for backwards in [false, true] {
            let desk = super::desk_at("2025-06-26T00:00:00Z").await;
            let mut events = events(shape);
            if backwards {
                events.reverse();
            }
            for event in &events {
                desk.take(event).await;
                desk.work().await;
            }
            assert_eq!(desk.count().await[&InboxState::Waiting], 0, "{shape} {backwards}");
            // A third of 500 credits.
            assert_eq!(desk.ada().await, 50 + 500 - 166, "{shape} {backwards}");
        }
    }
}

#[tokio::test]
async fn trap_27_a_refund_of_what_nobody_knows_waits_then_is_dead_and_is_found_again() {
    let desk = Desk::open().await;
    let refund = desk.take_file(SHAPES[1], "refund.created.json").await;
    for _ in 0..counterfoil::stripe::inbound::processor::RETRIES.attempts_max {
        desk.work().await;
        desk.pass(3_600);
    }
    assert_eq!(desk.state(&refund).await, InboxState::Dead);
    assert!(desk.reason(&refund).await.contains("payment"));
    assert_eq!(desk.processor.watch().failures_in_a_row(), 1);
    desk.tell(&[TOP_UP]).await;
    assert_eq!(desk.state(&refund).await, InboxState::Processed);
    assert_eq!(desk.ada().await, 1_050);
}

/// An invoice for something else is no dead letter; if it turns out to be ours after all, its payment is found.
#[tokio::test]
async fn trap_27_the_payment_of_an_invoice_that_stays_unknown_is_ignored_in_the_end() {
    let desk = super::desk_at("2025-06-02T00:00:00Z").await;
    let link = desk.take_file(SHAPES[1], "invoice_payment.paid.json").await;
    for _ in 0..counterfoil::stripe::inbound::processor::RETRIES.attempts_max {
        desk.work().await;
        desk.pass(3_600);
    }
    assert_eq!(desk.state(&link).await, InboxState::Ignored);
    desk.tell(&["invoice.paid.subscription_create.json"]).await;
    assert_eq!(desk.state(&link).await, InboxState::Processed);
}

/// The dispute of Ada's second pack, at this status.
fn dispute(id: &str, kind: &str, status: &str, seconds: i64) -> Value {
    let mut event = changed("charge.dispute.created.json", id, |dispute| dispute["status"] = json!(status));
    event["type"] = format!("charge.dispute.{kind}").into();
    event["created"] = json!(event["created"].as_i64().unwrap() + seconds);
    event
}

#[tokio::test]
async fn trap_28_a_dispute_freezes_takes_back_and_releases() {
    let step = async |desk: &Desk, event: Value, available: i64| {
        desk.take(&event).await;
        desk.work().await;
        assert_eq!(desk.ada().await, available, "{}", event["id"]);
    };
    let desk = Desk::open().await;
    desk.tell(&["checkout.session.completed.topup_2.json"]).await;
    step(&desk, dispute("evt_1", "created", "warning_needs_response", 0), 5_550).await;
    step(&desk, dispute("evt_2", "updated", "needs_response", 1), 50).await;
    step(&desk, dispute("evt_3", "funds_withdrawn", "under_review", 2), 50).await;
    step(&desk, dispute("evt_4", "closed", "lost", 3), 50).await;
    step(&desk, dispute("evt_5", "funds_reinstated", "won", 4), 5_550).await;
    let prevented = Desk::open().await;
    prevented.tell(&["checkout.session.completed.topup_2.json"]).await;
    step(&prevented, dispute("evt_1", "created", "needs_response", 0), 50).await;
    // The network gives the money back before it is disputed.
    step(&prevented, dispute("evt_2", "closed", "prevented", 1), 50).await;
    let inquiry = translated_value(&dispute("evt_1", "closed", "warning_closed", 0));
    assert!(matches!(inquiry, Err(SetAside::Ignored(_))));
    let unknown = translated_value(&dispute("evt_1", "updated", "in_court", 0));
    assert!(matches!(unknown, Err(SetAside::NeedsReview(_))));
}

#[tokio::test]
async fn trap_28_what_was_spent_of_a_lost_dispute_is_owed() {
    let desk = Desk::open().await;
    desk.tell(&["checkout.session.completed.topup_2.json"]).await;
    let spent = crate::support::ledger::deduct(crate::support::documents::ADA, 5_000, "spent");
    desk.test.ledger.execute(spent).await.unwrap();
    desk.tell(&["charge.dispute.created.json", "charge.dispute.closed.json"]).await;
    let view = desk.test.ledger.view(&crate::support::ledger::account(crate::support::documents::ADA)).await;
    let balance = view.unwrap().account.balance(desk.clock().now());
    assert_eq!((balance.available.get(), balance.debt.get()), (0, 4_950));
}
