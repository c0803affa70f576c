//! Do the rules work under the framework's own test harness?

use std::sync::Arc;

use counterfoil::{
    domain::{
        account::{Account, evolve},
        command::{AccountCommand, Command},
        event::Event,
    },
    journal::aggregate::{AccountAggregate, AggregateEvent, RefusedCommand},
};
use cqrs_es::{Aggregate, CqrsFramework, DomainEvent, EventStore, mem_store::MemStore, test::TestFramework};

use crate::builders::{
    catalog::catalog,
    scenario::given,
    words::{day, deduct, deducted, draw, granted, opened},
};

fn events(events: impl IntoIterator<Item = Event>) -> Vec<AggregateEvent> {
    events.into_iter().map(AggregateEvent).collect()
}

fn framework() -> TestFramework<AccountAggregate> {
    TestFramework::with(Arc::new(catalog()))
}

#[test]
fn a_deduction_spends_what_expires_first() {
    framework()
        .given(events([opened(), granted("a", 100, day(30)), granted("b", 100, day(10))]))
        .when((deduct(150), day(0)))
        .then_expect_events(events([deducted(4, 150, [draw("b", 100), draw("a", 50)], day(0))]));
}

#[test]
fn a_refusal_is_its_error() {
    let refusal = given([opened()]).when(deduct(1)).refusal().clone();
    framework()
        .given(events([opened()]))
        .when((deduct(1), day(0)))
        .then_expect_error(RefusedCommand(refusal));
}

#[test]
fn an_event_has_its_name_and_a_version() {
    let opened = AggregateEvent(opened());
    assert_eq!((opened.event_type(), opened.event_version()), ("AccountOpened".into(), "1".into()));
}

/// The trap of the framework: its sink applies an event, and whoever loads the account applies it again.
#[tokio::test]
async fn handling_a_command_does_not_change_the_account() {
    let mut account = AccountAggregate(given([opened(), granted("a", 100, day(30))]).account);
    let before = account.clone();
    let sink = cqrs_es::event_sink::EventSink::default();
    account.handle((deduct(10), day(0)), &Arc::new(catalog()), &sink).await.expect("there are 100");
    assert_eq!(account, before);
    let events = sink.collect().await;
    let after =
        events.iter().map(|event| &event.0).try_fold(before.0, evolve).expect("the history is possible");
    assert_eq!(after.balance(day(0)).available.get(), 90);
}

#[tokio::test]
async fn commands_run_under_the_framework() {
    let store = MemStore::<AccountAggregate>::default();
    let framework = CqrsFramework::new(store.clone(), Vec::new(), Arc::new(catalog()));
    let commands = [Command::Account(AccountCommand::OpenAccount), deduct(7), deduct(3)];
    for command in commands {
        framework.execute("acme", (command, day(0))).await.expect("the rules allow it");
    }
    assert!(framework.execute("acme", (deduct(41), day(0))).await.is_err());
    let events = store.load_events("acme").await.expect("the store is in memory");
    let replayed = events
        .iter()
        .try_fold(Account::Unopened, |account, stored| evolve(account, &stored.payload.0))
        .expect("the history is possible");
    assert_eq!(replayed.balance(day(0)).available.get(), 40);
}
