//! What does a person see of deliveries that came to nothing, and what can be done about them?

use counterfoil::stripe::inbound::{
    alerts::{measure, to_do},
    inbox::{InboxState, Operated},
};
use serde_json::json;

use crate::support::{
    desk::Desk,
    documents::{SHAPES, story},
    heard::Heard,
};

#[tokio::test]
async fn awkward_deliveries_end_where_a_person_finds_them() {
    let desk = Desk::open().await;
    let expected = [
        ("unknown_type.json", InboxState::Ignored),
        ("unknown_enum_status.json", InboxState::Dead),
        ("livemode_true.json", InboxState::Quarantined),
        ("connect_account.json", InboxState::Quarantined),
        ("invoice_lines_truncated.json", InboxState::Waiting),
        ("hostile_metadata.json", InboxState::Waiting),
        ("expanded_customer.json", InboxState::Processed),
        ("extra_fields.json", InboxState::Processed),
        ("zero_total_full_discount.json", InboxState::Processed),
    ];
    for (file, state) in expected {
        let event = desk.take_file("edge", file).await;
        desk.work().await;
        assert_eq!(desk.state(&event).await, state, "{file}");
    }
    let dead = desk.inbox.list(Some(InboxState::Dead), None, 10).await.unwrap();
    assert!(dead.events.iter().all(|event| event.reason.is_some()));
    assert_eq!(dead.events.len(), 1);
}

#[tokio::test]
async fn a_person_can_retry_and_discard() {
    let desk = Desk::open().await;
    let held = desk.take_file("edge", "unknown_enum_status.json").await;
    desk.work().await;
    let at = desk.clock().now();
    assert_eq!(desk.inbox.retry(&held, at).await.unwrap(), Operated::Done);
    assert_eq!(desk.state(&held).await, InboxState::Received);
    desk.work().await;
    assert_eq!(desk.state(&held).await, InboxState::Dead);
    assert_eq!(desk.inbox.discard(&held, "a test", at).await.unwrap(), Operated::Done);
    desk.work().await;
    assert_eq!(desk.state(&held).await, InboxState::Discarded);
    assert_eq!(desk.inbox.retry("evt_none", at).await.unwrap(), Operated::NotFound);
    let done = desk.take_file(SHAPES[1], "customer.created.json").await;
    desk.work().await;
    let refused = Operated::NotPossible { state: InboxState::Processed };
    assert_eq!(desk.inbox.retry(&done, at).await.unwrap(), refused);
    assert_eq!(desk.inbox.discard(&done, "a test", at).await.unwrap(), refused);
}

#[tokio::test]
async fn what_is_not_handled_yet_can_be_processed_again() {
    let desk = Desk::open().await;
    let announced = desk.take_file(SHAPES[1], "customer.subscription.trial_will_end.json").await;
    // As a release left it that did not know the type.
    sqlx::query("update ledger.stripe_inbox set state = 'not_handled_yet'")
        .execute(&desk.test.database.pool())
        .await
        .unwrap();
    desk.work().await;
    assert_eq!(desk.state(&announced).await, InboxState::NotHandledYet);
    assert_eq!(desk.inbox.reprocess(desk.clock().now()).await.unwrap(), 1);
    assert_eq!(desk.state(&announced).await, InboxState::Received);
    desk.work().await;
    assert_eq!(desk.state(&announced).await, InboxState::Processed);
}

#[tokio::test]
async fn dead_letters_and_states_are_counted() {
    let heard = Heard::begin();
    let desk = Desk::open().await;
    desk.take_file("edge", "unknown_enum_status.json").await;
    desk.take_file("edge", "livemode_true.json").await;
    desk.work().await;
    measure(&desk.inbox).await.unwrap();
    heard.has_counted(&[
        "counterfoil_inbox_dead_letters_total 1",
        "counterfoil_inbox_events_total{state=\"dead\"} 1",
        "counterfoil_inbox_events{state=\"dead\"} 1",
        "counterfoil_inbox_events{state=\"quarantined\"} 1",
        "counterfoil_inbox_events{state=\"received\"} 0",
    ]);
}

#[tokio::test]
async fn a_dead_letter_is_one_error_in_the_log_that_names_the_commands() {
    let heard = Heard::begin();
    let desk = Desk::open().await;
    let dead = desk.take_file("edge", "unknown_enum_status.json").await;
    let aside = desk.take_file("edge", "livemode_true.json").await;
    desk.work().await;
    desk.work().await;
    let line = heard.line("a Stripe event could not be processed");
    assert_eq!((&line["level"], &line["event"]), (&json!("ERROR"), &json!(dead)));
    assert_eq!(
        (&line["reason"], &line["what_to_do"]),
        (&json!(desk.reason(&dead).await), &json!(to_do(&dead)))
    );
    let line = heard.line("a Stripe event is not for this deployment, and was put aside");
    assert_eq!((&line["level"], &line["event"]), (&json!("WARN"), &json!(aside)));
}

/// What a person reads first about a dead letter is what to do.
#[test]
fn a_dead_letter_says_what_to_do() {
    let to_do = to_do("evt_1");
    for command in ["inbox show evt_1", "inbox retry evt_1", "inbox discard evt_1"] {
        assert!(to_do.contains(command), "{to_do}");
    }
}

#[tokio::test]
async fn the_list_goes_on_where_it_ended() {
    let desk = Desk::open().await;
    for file in story(SHAPES[1]).iter().take(5) {
        desk.take_file(SHAPES[1], file).await;
    }
    let first = desk.inbox.list(None, None, 3).await.unwrap();
    let second = desk.inbox.list(None, first.next, 3).await.unwrap();
    assert_eq!((first.events.len(), second.events.len(), second.next), (3, 2, None));
    let arrivals: Vec<_> = first.events.iter().chain(&second.events).map(|event| event.arrival).collect();
    assert!(arrivals.is_sorted_by(|one, other| one > other), "the newest come first");
}
