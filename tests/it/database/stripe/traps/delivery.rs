//! What is delivered, how often, in which order, and whose it is.

use std::collections::BTreeSet;

use counterfoil::{
    domain::command::{Command, PurchaseCommand},
    stripe::{
        documents::envelope::Envelope,
        inbound::{
            inbox::{InboxState, ReceiveError},
            signature::{Secrets, SignatureError, sign},
        },
        translate::{OwnerLookup, SetAside},
    },
};
use serde_json::json;

use super::{Desk, SHAPES, changed, desk_at, translated_value, value};
use crate::support::documents::{ADA, read, translated};
use crate::support::shards;

#[tokio::test]
async fn trap_01_order_is_not_guaranteed() {
    let desk = desk_at("2025-08-06T00:00:00Z").await;
    let files = [
        "customer.subscription.updated.recovered.json",
        "customer.subscription.updated.past_due.json",
        "customer.subscription.updated.plan_downgrade.json",
        "invoice.paid.recovered.json",
    ];
    desk.tell(&files).await;
    let view = desk.test.ledger.view(&crate::support::ledger::account(ADA)).await.unwrap();
    let account = view.account.opened().unwrap();
    assert_eq!(account.plan(desk.clock().now(), desk.test.ledger.catalog()).as_str(), "basic");
    let known = account.subscriptions.known().values().next().unwrap();
    assert_eq!(format!("{:?}", known.status), "Active");
    assert_eq!(desk.ada().await, 550);
}

#[tokio::test]
async fn trap_02_one_event_twice_and_two_events_for_one_change_count_once() {
    let desk = desk_at("2025-06-02T00:00:00Z").await;
    let paid = "invoice.paid.subscription_create.json";
    desk.tell(&[paid, paid, "invoice.payment_succeeded.subscription_create.json"]).await;
    // The same bytes under another id, as two Event objects for one change.
    desk.take(&changed(paid, "evt_second_object", |_| ())).await;
    desk.work().await;
    assert_eq!(desk.ada().await, 550);
}

#[tokio::test]
async fn trap_05_a_delivery_is_stored_and_answered_before_anything_is_done_with_it() {
    let desk = Desk::open().await;
    let event = desk.take_file(SHAPES[1], "invoice.paid.subscription_create.json").await;
    assert_eq!(desk.state(&event).await, InboxState::Received);
    assert_eq!(shards::events(&desk.test.database.pool()).await, 0, "no account was touched");
}

#[tokio::test]
async fn trap_06_what_is_of_no_interest_is_accepted_too() {
    let desk = Desk::open().await;
    for (shape, file) in [(SHAPES[1], "invoice.created.json"), ("edge", "unknown_type.json")] {
        let event = desk.receive(&read(shape, file)).await.unwrap().event.to_string();
        desk.work().await;
        assert_eq!(desk.state(&event).await, InboxState::Ignored);
        assert!(!desk.reason(&event).await.is_empty(), "an operator sees why");
    }
}

#[tokio::test]
async fn trap_07_the_signature_is_over_the_raw_body() {
    let desk = Desk::open().await;
    let spaced = serde_json::to_vec_pretty(&value(SHAPES[1], "customer.created.json")).unwrap();
    desk.receive(&spaced).await.unwrap();
    let at = desk.clock().now();
    let header = sign(desk.secrets.first().unwrap(), &spaced, at);
    let encoded_again = serde_json::to_vec(&value(SHAPES[1], "customer.created.json")).unwrap();
    let received = desk.inbox.receive(&desk.secrets, Some(&header), &encoded_again, at).await;
    assert!(matches!(received, Err(ReceiveError::Signature(SignatureError::NoMatch))));
}

#[tokio::test]
async fn trap_08_two_secrets_hold_while_they_are_rotated_and_the_one_that_matched_is_kept() {
    let desk = Desk::open().await;
    let both = Secrets::parse("old=whsec_old,new=whsec_new").unwrap();
    let at = desk.clock().now();
    for (number, name) in ["old", "new"].into_iter().enumerate() {
        let secret = Secrets::parse(&format!("{name}=whsec_{name}")).unwrap();
        let event = changed("customer.created.json", &format!("evt_{number}"), |_| ());
        let body = serde_json::to_vec(&event).unwrap();
        // While a secret is rotated Stripe signs with both.
        let other = sign(&Secrets::parse("whsec_other").unwrap().first().unwrap().clone(), &body, at);
        let header = sign(secret.first().unwrap(), &body, at);
        let header = format!("{header},{}", other.split_once(',').unwrap().1);
        let received = desk.inbox.receive(&both, Some(&header), &body, at).await.unwrap();
        assert_eq!(received.secret, name);
        let kept = desk.inbox.find(received.event.as_str()).await.unwrap().unwrap();
        assert_eq!(kept.summary.secret.as_deref(), Some(name));
    }
}

#[tokio::test]
async fn trap_09_clocks_may_differ_by_five_minutes_both_ways() {
    let desk = Desk::open().await;
    let at = desk.clock().now();
    let body = read(SHAPES[1], "customer.created.json");
    for (seconds, accepted) in [(301, false), (-301, false), (299, true), (-299, true)] {
        let signed_at = at.plus(chrono::TimeDelta::seconds(seconds));
        let header = sign(desk.secrets.first().unwrap(), &body, signed_at);
        let received = desk.inbox.receive(&desk.secrets, Some(&header), &body, at).await;
        assert_eq!(received.is_ok(), accepted, "{seconds}");
    }
}

#[tokio::test]
async fn trap_10_what_is_verified_and_cannot_be_read_is_kept_as_dead_and_can_be_tried_again() {
    let desk = Desk::open().await;
    let event = changed("invoice.paid.subscription_create.json", "evt_odd", |invoice| {
        invoice["lines"]["data"][0]["amount"] = json!("nine");
    });
    let event = desk.take(&event).await;
    desk.work().await;
    assert_eq!(desk.state(&event).await, InboxState::Dead);
    assert!(desk.reason(&event).await.contains("amount"));
    // As if a release had learned to read it.
    let mended = serde_json::to_vec(&changed("invoice.paid.subscription_create.json", "evt_odd", |_| ()));
    sqlx::query("update ledger.stripe_inbox set body = $1 where event_id = 'evt_odd'")
        .bind(mended.unwrap())
        .execute(&desk.test.database.pool())
        .await
        .unwrap();
    desk.inbox.retry(&event, desk.clock().now()).await.unwrap();
    desk.work().await;
    assert_eq!(desk.state(&event).await, InboxState::Processed);
}

#[tokio::test]
async fn trap_11_the_shapes_of_two_api_versions_are_read_side_by_side() {
    let desk = desk_at("2025-07-02T00:00:00Z").await;
    desk.take_file(SHAPES[0], "invoice.paid.subscription_create.json").await;
    desk.take_file(SHAPES[1], "invoice.paid.subscription_cycle.json").await;
    desk.work().await;
    // 1,500 of July, and 500 of June that were carried.
    assert_eq!(desk.ada().await, 50 + 1_500 + 500);
    let versions = desk.inbox.list(None, None, 10).await.unwrap().events;
    let versions: BTreeSet<_> = versions.into_iter().filter_map(|event| event.api_version).collect();
    assert_eq!(versions.len(), 2);
}

#[tokio::test]
async fn trap_12_checkout_subscription_and_invoice_may_race() {
    let files = [
        "checkout.session.completed.subscription.json",
        "customer.subscription.created.json",
        "invoice.paid.subscription_create.json",
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let desk = desk_at("2025-06-01T10:06:00Z").await;
        desk.tell(&order.map(|index: usize| files[index])).await;
        assert_eq!(desk.ada().await, 550, "{order:?}");
        assert_eq!(desk.count().await[&InboxState::Processed], 3);
    }
}

/// Sold by hand in Stripe's dashboard: nothing has metadata but the customer.
#[tokio::test]
async fn trap_13_metadata_does_not_travel_and_the_customer_is_enough() {
    let desk = desk_at("2025-06-01T10:06:00Z").await;
    let subscription = changed("customer.subscription.created.json", "evt_sub", |object| {
        object["metadata"] = json!({});
    });
    let invoice = changed("invoice.paid.subscription_create.json", "evt_in", |object| {
        object["parent"]["subscription_details"]["metadata"] = json!({});
    });
    for event in [&subscription, &invoice] {
        desk.take(event).await;
    }
    desk.work().await;
    assert_eq!(desk.count().await[&InboxState::Waiting], 2);
    desk.tell(&["customer.created.json"]).await;
    assert_eq!(desk.count().await[&InboxState::Waiting], 0);
    assert_eq!(desk.ada().await, 550);
}

#[tokio::test]
async fn trap_25_fulfilment_that_runs_twice_at_once_grants_once() {
    let desk = Desk::open().await;
    let file = "checkout.session.completed.topup.json";
    for number in 0..20 {
        desk.take(&changed(file, &format!("evt_{number}"), |_| ())).await;
    }
    let work = || desk.processor.work();
    let (one, other) = tokio::join!(work(), work());
    assert!(one.is_ok() && other.is_ok());
    desk.work().await;
    assert_eq!(desk.ada().await, 2_050);
}

#[tokio::test]
async fn trap_33_test_and_live_never_mix() {
    let desk = Desk::open().await;
    let event = desk.take_file("edge", "livemode_true.json").await;
    desk.work().await;
    assert_eq!(desk.state(&event).await, InboxState::Quarantined);
    assert_eq!(shards::events(&desk.test.database.pool()).await, 0);
}

#[test]
fn trap_34_an_event_of_a_connected_account_is_quarantined() {
    assert!(matches!(translated("edge", "connect_account.json"), Err(SetAside::Quarantined(_))));
}

#[test]
fn trap_35_a_thin_event_is_kept_as_unsupported() {
    let thin = json!({
        "id": "evt_thin", "object": "v2.core.event", "type": "v1.invoice.paid", "livemode": false,
        "created": "2026-09-30T10:00:00.000Z", "snapshot_event": "evt_1"
    });
    let Err(SetAside::Quarantined(because)) = translated_value(&thin) else { panic!() };
    assert!(because.contains("unsupported"), "{because}");
}

#[test]
fn trap_36_metadata_is_text_that_anybody_may_have_written() {
    let instructions = translated("edge", "hostile_metadata.json").unwrap();
    assert!(matches!(instructions.owner, OwnerLookup::Customer(_)), "it names no account");
    let huge = changed("checkout.session.completed.topup.json", "evt_huge", |session| {
        session["metadata"]["topup_code"] = json!("x".repeat(100_000));
    });
    let Err(SetAside::NeedsReview(because)) = translated_value(&huge) else { panic!() };
    assert!(because.len() < 200, "what is repeated of it is short");
}

#[test]
fn trap_37_money_is_whole_and_in_whatever_currency_it_was_paid() {
    let large = Envelope::parse(&read("edge", "amount_above_2_53.json")).unwrap();
    assert_eq!(large.object().unwrap().integer("amount_paid"), Some(9_007_199_254_740_993));
    let float = changed("invoice.paid.subscription_create.json", "evt_float", |invoice| {
        invoice["amount_paid"] = json!(9.99);
    });
    assert!(matches!(translated_value(&float), Err(SetAside::NeedsReview(_))));
    let yen = changed("invoice.paid.subscription_create.json", "evt_yen", |invoice| {
        invoice["currency"] = json!("jpy");
    });
    let instructions = translated_value(&yen).unwrap();
    let Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) =
        &instructions.steps.last().unwrap().command
    else {
        panic!()
    };
    assert_eq!((paid.money.currency.as_str(), paid.lines[0].cost.currency.as_str()), ("jpy", "jpy"));
}
