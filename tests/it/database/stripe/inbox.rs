//! Deliveries on a real database: kept once, handled in the background, and never lost.

use std::{collections::BTreeSet, time::Duration};

use counterfoil::{
    queue::{Backoff, Retries},
    stripe::inbound::{
        alerts::FAILURES_IN_A_ROW_MAX,
        inbox::InboxState,
        processor::{InboxProgress, Processor, RETRIES},
    },
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{
    desk::{Desk, available},
    documents::{ADA, BOB, SHAPES, here, story, value},
    heard::Heard,
    ledger::start,
};

#[tokio::test]
async fn the_whole_story_is_handled_in_both_shapes_and_backwards() {
    let mut balances = BTreeSet::new();
    for (shape, backwards) in [(SHAPES[0], false), (SHAPES[1], false), (SHAPES[1], true)] {
        let desk = Desk::open().await;
        let mut files = story(shape);
        if backwards {
            files.reverse();
        }
        for file in &files {
            desk.take_file(shape, file).await;
        }
        desk.work().await;
        let counts = desk.count().await;
        for state in [InboxState::Received, InboxState::Waiting, InboxState::Dead, InboxState::Quarantined] {
            assert_eq!(counts[&state], 0, "{shape} {state:?}");
        }
        let (ledger, clock) = (&desk.test.ledger, desk.clock());
        balances.insert((available(ledger, ADA, clock).await, available(ledger, BOB, clock).await));
    }
    // 50 at the start, and packs of 2,000, 5,500 and 2,000, of which the first is refunded and the second disputed.
    assert_eq!(balances, BTreeSet::from([(2_050, 50)]));
}

#[tokio::test]
async fn a_customer_that_nobody_knows_is_waited_for() {
    let desk = Desk::open().await;
    let mut invoice = value(SHAPES[1], "invoice.paid.subscription_cycle.json");
    invoice["data"]["object"]["parent"]["subscription_details"]["metadata"] = json!({});
    let invoice = desk.take(&invoice).await;
    desk.work().await;
    assert_eq!(desk.state(&invoice).await, InboxState::Waiting);
    // The link comes, and what waited for it is handled without any delay.
    desk.take_file(SHAPES[1], "customer.created.json").await;
    desk.work().await;
    assert_eq!(desk.state(&invoice).await, InboxState::Processed);
}

#[tokio::test]
async fn a_customer_that_stays_unknown_is_given_up_in_the_end_and_found_again() {
    let desk = Desk::open().await;
    let lost = desk.take_file("edge", "unknown_customer.json").await;
    for _ in 1..RETRIES.attempts_max {
        desk.work().await;
        assert_eq!(desk.state(&lost).await, InboxState::Waiting);
        desk.pass(3_600);
    }
    desk.work().await;
    assert_eq!(desk.state(&lost).await, InboxState::Dead);
    let mut customer = value(SHAPES[1], "customer.created.json");
    customer["id"] = "evt_late_link".into();
    customer["data"]["object"]["id"] = "cus_NobodyKnows0001".into();
    desk.take(&customer).await;
    desk.work().await;
    assert_eq!(desk.state(&lost).await, InboxState::Processed);
}

#[tokio::test]
async fn attempts_and_delays_are_those_that_are_set() {
    let mut desk = Desk::open().await;
    let retries = Retries { attempts_max: 4, backoff: Backoff { delay_s_min: 10, delay_s_max: 15 } };
    desk.processor = desk.processor.clone().retrying(retries);
    let lost = desk.take_file("edge", "unknown_customer.json").await;
    for delay in [10, 15, 15] {
        desk.work().await;
        let summary = desk.inbox.find(&lost).await.unwrap().unwrap().summary;
        let next = summary.next_attempt_at.unwrap().seconds();
        assert_eq!(next - desk.clock().now().seconds(), delay);
        desk.pass(delay);
    }
    desk.work().await;
    assert_eq!(desk.state(&lost).await, InboxState::Dead);
}

#[tokio::test]
async fn the_delay_between_attempts_grows() {
    let desk = Desk::open().await;
    let lost = desk.take_file("edge", "unknown_customer.json").await;
    let mut delays = Vec::new();
    for _ in 0..5 {
        desk.work().await;
        let summary = desk.inbox.find(&lost).await.unwrap().unwrap().summary;
        let delay = summary.next_attempt_at.unwrap().seconds() - desk.clock().now().seconds();
        delays.push(delay);
        desk.pass(delay);
    }
    assert_eq!(delays, [1, 2, 4, 8, 16]);
}

/// Somebody is called after five of them; a success begins a new count.
#[tokio::test]
async fn failures_in_a_row_are_counted() {
    let heard = Heard::begin();
    let desk = Desk::open().await;
    let fail = async |number: u32| {
        let mut event = value("edge", "unknown_enum_status.json");
        event["id"] = format!("evt_{number}").into();
        desk.take(&event).await;
        desk.work().await;
    };
    for number in 1..=FAILURES_IN_A_ROW_MAX {
        fail(number).await;
        assert_eq!(desk.processor.watch().failures_in_a_row(), number);
    }
    let call = heard.line("Stripe events fail one after the other");
    assert_eq!((&call["level"], &call["failures"]), (&json!("ERROR"), &json!(FAILURES_IN_A_ROW_MAX)));
    heard.has_counted(&["counterfoil_inbox_alerts_total 1"]);
    desk.take_file(SHAPES[1], "customer.created.json").await;
    desk.work().await;
    assert_eq!(desk.processor.watch().failures_in_a_row(), 0);
}

/// A top-up by a customer of its own.
pub fn top_up(number: usize, customers: usize) -> Value {
    let mut event = value(SHAPES[1], "checkout.session.completed.topup.json");
    let customer = number % customers;
    let account = format!("account-{customer}");
    event["id"] = format!("evt_{number}").into();
    let object = &mut event["data"]["object"];
    object["id"] = format!("cs_{number}").into();
    object["payment_intent"] = format!("pi_{number}").into();
    object["customer"] = format!("cus_{customer}").into();
    object["client_reference_id"] = account.clone().into();
    object["metadata"]["account_id"] = account.into();
    event
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_handle_each_delivery_once() {
    const EVENTS: usize = 600;
    const CUSTOMERS: usize = 40;
    let desk = Desk::open().await;
    for number in 0..EVENTS {
        desk.take(&top_up(number, CUSTOMERS)).await;
    }
    let (other, _running) = start(desk.test.database.pool(), desk.clock().clone()).await;
    let second = Processor::new(desk.inbox.clone(), other, here());
    let stop = CancellationToken::new();
    let started = std::time::Instant::now();
    let both = [desk.processor.clone(), second].map(|processor| tokio::spawn(processor.run(stop.clone())));
    while desk.count().await[&InboxState::Processed] < 600 {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", desk.count().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{EVENTS} events in {:?}", started.elapsed());
    stop.cancel();
    for running in both {
        running.await.unwrap();
    }
    for customer in 0..CUSTOMERS {
        let account = format!("account-{customer}");
        assert_eq!(available(&desk.test.ledger, &account, desk.clock()).await, 50 + 15 * 2_000);
    }
}

/// Neither sees what the other has not committed, whichever of them is the slower one. The clock stands still, so
/// nothing is tried again by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_aside_while_another_instance_learns_of_it_is_handled_at_once() {
    const REFUND: &str = "refund.created.json";
    const PURCHASE: &str = "checkout.session.completed.topup.json";
    const FUNCTION: &str = "create function slow() returns trigger language plpgsql as
         $$ begin perform pg_sleep(2); return new; end $$";
    const SLOW_TO_WAIT: &str = "create trigger slow before update on ledger.stripe_inbox for each row
         when (new.state = 'waiting') execute function slow()";
    const SLOW_TO_LEARN: &str = "create constraint trigger slow after insert on ledger.stripe_payments
         deferrable initially deferred for each row execute function slow()";
    const ASLEEP: &str = "select exists (
         select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database())";
    for (trigger, slow, quick) in [(SLOW_TO_WAIT, REFUND, PURCHASE), (SLOW_TO_LEARN, PURCHASE, REFUND)] {
        let desk = Desk::open().await;
        let pool = desk.test.database.pool();
        for statement in [FUNCTION, trigger] {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        let (other, _running) = start(pool.clone(), desk.clock().clone()).await;
        let second = Processor::new(desk.inbox.clone(), other, here());
        desk.take_file(SHAPES[1], slow).await;
        let working = tokio::spawn(async move { second.work().await.unwrap() });
        while !sqlx::query_scalar::<_, bool>(ASLEEP).fetch_one(&pool).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        desk.take_file(SHAPES[1], quick).await;
        desk.processor.work().await.unwrap();
        working.await.unwrap();
        desk.work().await;
        assert_eq!(desk.count().await[&InboxState::Processed], 2, "{slow} is slow");
    }
}

/// The handler wakes the processor: nothing waits for the next look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_handled_at_once() {
    let desk = Desk::open().await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(desk.processor.clone().run(stop.clone()));
    let event = desk.take(&top_up(1, 1)).await;
    let handled = async {
        while desk.state(&event).await != InboxState::Processed {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), handled).await.unwrap();
    stop.cancel();
    running.await.unwrap();
}

/// As after a crash between the ledger's answer and the inbox's.
#[tokio::test]
async fn what_is_handled_twice_counts_once() {
    let desk = Desk::open().await;
    for file in story(SHAPES[1]) {
        desk.take_file(SHAPES[1], &file).await;
    }
    desk.work().await;
    let (ledger, clock) = (&desk.test.ledger, desk.clock());
    let before = (available(ledger, ADA, clock).await, ledger.known_heads());
    for statement in [
        "update ledger.stripe_inbox set state = 'received'",
        "delete from ledger.stripe_links",
        "delete from ledger.stripe_payments",
    ] {
        sqlx::query(statement).execute(&desk.test.database.pool()).await.unwrap();
    }
    desk.work().await;
    assert_eq!((available(ledger, ADA, clock).await, ledger.known_heads()), before);
}

/// A ledger that takes nothing is not the event's fault.
#[tokio::test]
async fn an_event_is_not_blamed_for_a_ledger_that_takes_nothing() {
    let desk = Desk::open().await;
    let pool = counterfoil::postgres::pool::open(desk.test.database.connect_options(), 2);
    let (broken, _running) = start(pool.clone(), desk.clock().clone()).await;
    let event = desk.take(&top_up(1, 1)).await;
    pool.close().await;
    let processor = Processor::new(desk.inbox.clone(), broken, here());
    assert_eq!(processor.work().await.unwrap(), InboxProgress::Interrupted);
    let summary = desk.inbox.find(&event).await.unwrap().unwrap().summary;
    assert_eq!((summary.state, summary.attempts), (InboxState::Received, 0));
    desk.work().await;
    assert_eq!(desk.state(&event).await, InboxState::Processed);
}
