//! Two pauses, two ways to cancel, and what is left of somebody who is gone.

use counterfoil::{
    domain::{account::OpenAccount, command::SubscriptionChange, subscription::SubscriptionStatus},
    stripe::inbound::inbox::InboxState,
};
use serde_json::json;

use super::super::reports::read;
use super::{Desk, SHAPES, changed, desk_at, value};
use crate::support::{
    documents::{ADA, BOB, catalog},
    ledger::account,
};

async fn opened(desk: &Desk, id: &str) -> OpenAccount {
    let view = desk.test.ledger.view(&account(id)).await.unwrap();
    view.account.opened().unwrap().clone()
}

#[test]
fn trap_29_the_two_pauses_are_told_apart() {
    // Collection is paused: active as before, and nothing else tells.
    let uncollected = read(&value(SHAPES[1], "customer.subscription.updated.pause_collection.json"));
    assert_eq!(uncollected.change, SubscriptionChange::Paused);
    assert_eq!(uncollected.terms.status, SubscriptionStatus::Active);
    assert!(uncollected.terms.collection_paused && !uncollected.terms.is_revenue());
    // The trial ended without a card, or somebody asked for it at the pause endpoint.
    for reason in ["trial_end_without_payment_method", "pause_requested"] {
        let paused = changed("customer.subscription.paused.json", "evt_paused", |subscription| {
            subscription["status_details"] = json!({
                "paused": {
                    "type": "subscription", "transitioned_at": 1_750_147_200,
                    "subscription": { "type": reason },
                }
            });
        });
        let paused = read(&paused);
        assert_eq!(paused.terms.status, SubscriptionStatus::Paused);
        assert!(!paused.terms.status.gives_access());
    }
}

/// `keep_as_draft`: collected after all, and then it counts.
#[tokio::test]
async fn trap_29_an_invoice_that_was_kept_as_a_draft_is_granted_when_it_is_paid() {
    let desk = desk_at("2025-08-12T00:00:00Z").await;
    desk.tell(&["customer.subscription.updated.pause_collection.json", "invoice.created.json"]).await;
    assert_eq!(desk.ada().await, 50);
    desk.tell(&["invoice.paid.recovered.json"]).await;
    assert_eq!(desk.ada().await, 550);
}

#[test]
fn trap_30_a_cancellation_is_read_from_cancel_at_and_from_the_flag() {
    let document = value(SHAPES[1], "customer.subscription.updated.cancel_scheduled.bob.json");
    assert_eq!(document["data"]["object"]["cancel_at_period_end"], false);
    let flexible = read(&document);
    assert_eq!(flexible.change, SubscriptionChange::CancellationScheduled);
    assert_eq!(flexible.terms.cancel_at.unwrap().to_string(), "2025-07-19T08:00:00Z");
    let flag =
        changed("customer.subscription.updated.cancel_at_period_end.json", "evt_flag", |subscription| {
            subscription["cancel_at"] = serde_json::Value::Null;
        });
    let flag = read(&flag);
    assert_eq!(flag.terms.cancel_at, Some(flag.terms.period.end));
}

#[tokio::test]
async fn trap_31_who_is_gone_keeps_the_ledger_and_loses_the_link() {
    let desk = Desk::open().await;
    desk.tell(&["checkout.session.completed.topup.json", "payment_method.detached.json"]).await;
    desk.tell(&["customer.deleted.json"]).await;
    assert_eq!(desk.count().await[&InboxState::Dead], 0);
    assert_eq!(desk.ada().await, 2_050);
    let customers = opened(&desk, ADA).await.customers;
    assert!(customers.values().all(|link| format!("{link:?}") == "Gone"), "{customers:?}");
    // What is told of the customer later still finds the account.
    desk.tell(&["charge.refunded.json"]).await;
    assert_eq!(desk.ada().await, 1_050);
}

#[tokio::test]
async fn a_trial_without_a_card_gives_the_plan_then_nothing_until_somebody_pays() {
    let desk = desk_at("2025-06-04T00:00:00Z").await;
    let plan = async |desk: &Desk| {
        opened(desk, BOB).await.plan(desk.clock().now(), desk.test.ledger.catalog()).to_string()
    };
    desk.tell(&["customer.subscription.created.trialing.json", "invoice.paid.trial_zero.json"]).await;
    desk.tell(&["customer.subscription.trial_will_end.json"]).await;
    assert_eq!(plan(&desk).await, "team");
    desk.tell(&["customer.subscription.paused.json"]).await;
    assert_eq!(plan(&desk).await, "free");
    desk.clock().set(counterfoil::domain::time::Timestamp::parse("2025-06-20T00:00:00Z").unwrap());
    desk.tell(&["customer.subscription.resumed.json", "invoice.paid.after_trial.json"]).await;
    assert_eq!(plan(&desk).await, "team");
    let view = desk.test.ledger.view(&account(BOB)).await.unwrap();
    assert_eq!(view.account.balance(desk.clock().now()).available.get(), 5_050);
}

/// With a card the trial becomes active, and the first invoice that is paid grants.
#[test]
fn a_trial_with_a_card_becomes_active() {
    let mut started = value(SHAPES[1], "customer.subscription.resumed.json");
    started["type"] = "customer.subscription.updated".into();
    started["data"]["previous_attributes"] = json!({ "status": "trialing" });
    let started = read(&started);
    assert_eq!(started.change, SubscriptionChange::Started);
    assert!(started.terms.is_revenue());
}

#[test]
fn an_unpaid_subscription_gives_no_plan_and_a_past_due_one_has_the_catalogs_days() {
    let status = |status: &str| {
        let document = changed("customer.subscription.updated.past_due.json", "evt_1", |subscription| {
            subscription["status"] = json!(status);
        });
        read(&document).terms
    };
    assert!(!status("unpaid").status.gives_access());
    assert_eq!(status("past_due").grace_days, Some(catalog().payments.grace_days));
    assert_eq!(status("active").grace_days, None);
}

#[tokio::test]
async fn a_subscription_of_something_else_is_dead_and_says_which_price() {
    let document = changed("customer.subscription.created.json", "evt_1", |subscription| {
        subscription["items"]["data"][0]["price"]["id"] = json!("price_of_something_else");
    });
    let desk = desk_at("2025-06-12T00:00:00Z").await;
    let event = desk.take(&document).await;
    desk.work().await;
    assert_eq!(desk.state(&event).await, InboxState::Dead);
    assert!(desk.reason(&event).await.contains("price_of_something_else"));
}
