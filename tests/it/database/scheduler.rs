//! Does what time brings happen by itself, once, and by the clock that is set?

use std::collections::BTreeMap;

use chrono::TimeDelta;
use counterfoil::{
    consumer::SharedNames,
    domain::{
        amount::{Currency, Money},
        catalog::Interval,
        command::{
            AccountCommand, Command, CreditsCommand, HoldFor, InvoiceLine, PurchaseCommand, RecordPaidInvoice,
        },
        ids::{HoldId, PlanId, ProviderId},
        invoice::LineEffect,
        time::{Period, Timestamp},
    },
    journal::feed::Feed,
    ledger::{IdempotencyKey, Ledger},
    projections,
    projector::Projector,
    scheduler::{Scheduler, Ticked},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::support::ledger::{self, TestLedger, account, alone, credits, noon, open, request};
use crate::support::shards;

/// A ledger whose read models follow it.
struct World {
    of: TestLedger,
    projector: Projector,
    scheduler: Scheduler,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl World {
    async fn start() -> Self {
        Self::start_as(SharedNames::default()).await
    }

    async fn start_as(names: SharedNames) -> Self {
        let of = TestLedger::start().await;
        let pool = of.database.pool();
        let feed = Feed::new(pool.clone());
        let opened = Projector::open_as(pool.clone(), feed, projections::all(), of.clock.clone(), names);
        let projector = opened.await.expect("it opens");
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        projector.start(&tasks, &stop, of.ledger.positions());
        let scheduler = Scheduler::new(pool, of.ledger.clone(), alone(&of.ledger));
        Self { of, projector, scheduler, stop, tasks }
    }

    fn ledger(&self) -> &Ledger {
        &self.of.ledger
    }

    /// Waits until the deadlines are those of every event so far.
    async fn caught_up(&self) {
        let positions = shards::heads(&self.of.database.pool()).await;
        let patience = std::time::Duration::from_secs(20);
        let reached = shards::wait_for(&self.projector, "deadlines", &positions, patience).await;
        assert!(reached.reached, "the deadlines do not follow");
    }

    async fn tick_at(&self, at: Timestamp) -> Ticked {
        self.caught_up().await;
        self.of.clock.set(at);
        self.scheduler.tick().await.expect("the database answers")
    }

    async fn deadlines(&self) -> i64 {
        sqlx::query_scalar("select count(*) from read.deadlines")
            .fetch_one(&self.of.database.pool())
            .await
            .unwrap()
    }

    async fn count(&self, event_type: &str) -> i64 {
        sqlx::query_scalar("select count(*) from ledger.events where event_type = $1")
            .bind(event_type)
            .fetch_one(&self.of.database.pool())
            .await
            .unwrap()
    }

    /// Ends everything in order, after which the ledger has nothing left to do.
    async fn end(self) {
        let Self { of, projector, scheduler, stop, tasks } = self;
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        drop((projector, scheduler));
        let TestLedger { ledger, running, database, .. } = of;
        drop(ledger);
        running.finished().await;
        drop(database);
    }
}

fn hold(id: &str, amount: i64, seconds: u32, key: &str) -> counterfoil::ledger::Request {
    let what = HoldFor::Amount { amount: credits(amount), id: None, description: None };
    request(
        id,
        Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: Some(seconds) }),
        IdempotencyKey::caller(key),
    )
}

/// A year of the Basic plan, paid at once and given month by month.
fn paid_year(id: &str) -> counterfoil::ledger::Request {
    let money = Money { minor: 9_990, currency: Currency::parse("usd").unwrap() };
    let start = noon();
    let invoice = RecordPaidInvoice {
        invoice: ProviderId::parse("in_1").unwrap(),
        subscription: Some(ProviderId::parse("sub_1").unwrap()),
        money: money.clone(),
        total: money.minor,
        credited: 0,
        from_balance: 0,
        finalized_at: None,
        gives_back: BTreeMap::new(),
        lines: vec![InvoiceLine {
            line: ProviderId::parse("il_1").unwrap(),
            plan: PlanId::parse("basic").unwrap(),
            quantity: 1,
            period: Period { start, end: start.plus_months(12) },
            interval: Interval::Year,
            effect: LineEffect::Charge,
            gives_back: None,
            full: true,
            free: false,
            cost: money,
        }],
        created_at: start,
        effective_at: start,
    };
    request(
        id,
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(invoice)),
        IdempotencyKey::stripe("in_1"),
    )
}

fn later(seconds: i64) -> Timestamp {
    noon().plus(TimeDelta::seconds(seconds))
}

#[tokio::test]
async fn a_hold_ends_when_its_time_has_come() {
    let world = World::start().await;
    open(world.ledger(), "acme").await.unwrap();
    world.ledger().execute(hold("acme", 20, 600, "k1")).await.unwrap();

    assert_eq!(world.tick_at(later(599)).await, Ticked::default(), "not before");
    assert_eq!(world.tick_at(later(600)).await, Ticked { settled: 1, events: 1, left: 0 });
    assert_eq!(world.count("HoldExpired").await, 1);
    assert_eq!(world.tick_at(later(601)).await, Ticked::default(), "once");
    world.end().await;
}

/// Leaves a deadline of a hold that is open no more.
async fn hold_and_release(world: &World) {
    open(world.ledger(), "acme").await.unwrap();
    world.ledger().execute(hold("acme", 20, 600, "k1")).await.unwrap();
    let hold_id = HoldId::parse("hold_3").unwrap();
    let release = Command::Credits(CreditsCommand::ReleaseHold { hold_id, amount: None });
    world.ledger().execute(request("acme", release, IdempotencyKey::caller("k2"))).await.unwrap();
}

#[tokio::test]
async fn a_deadline_that_fell_away_costs_one_look() {
    let world = World::start().await;
    hold_and_release(&world).await;
    assert_eq!(world.tick_at(later(600)).await, Ticked { settled: 1, events: 0, left: 0 });
    assert_eq!(world.deadlines().await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_paid_year_gives_each_month_when_it_begins() {
    let world = World::start().await;
    world.ledger().execute(paid_year("acme")).await.unwrap();
    let granted = world.count("CreditsGranted").await;
    for month in 1..12 {
        let ticked = world.tick_at(noon().plus_months(month)).await;
        assert_eq!((ticked.settled, ticked.left), (1, 0), "month {month}");
    }
    let allocations: i64 = sqlx::query_scalar(
        "select count(*) from ledger.events where event_type = 'CreditsGranted' \
         and payload #>> '{CreditsGranted,grant,source}' = 'allocation'",
    )
    .fetch_one(&world.of.database.pool())
    .await
    .unwrap();
    assert_eq!(allocations, 12, "of {granted} at first");
    world.tick_at(noon().plus_months(12)).await;
    let view = world.ledger().view(&account("acme")).await.unwrap();
    let counterfoil::domain::account::Account::Open(open) = view.account else { panic!("it is open") };
    assert!(counterfoil::domain::decide::next_due(&open).is_none(), "nothing is left to come");
    world.end().await;
}

#[tokio::test]
async fn many_accounts_are_settled_in_one_tick() {
    let world = World::start().await;
    let ids: Vec<String> = (0..700).map(|number| format!("account-{number}")).collect();
    let ledger = world.ledger();
    let held = ids.iter().map(|id| async move {
        open(ledger, id).await.unwrap();
        ledger.execute(hold(id, 1, 60, "k1")).await.unwrap();
    });
    futures::future::join_all(held).await;
    assert_eq!(world.tick_at(later(60)).await, Ticked { settled: 700, events: 700, left: 0 });
    assert_eq!(world.deadlines().await, 0);
    world.end().await;
}

#[tokio::test]
async fn two_instances_that_hear_nothing_of_each_other_settle_an_account_once() {
    // Only the first one follows, and the other one tells it nothing.
    let names = SharedNames { channel: "of_another_node".to_owned(), ..SharedNames::default() };
    let world = World::start_as(names).await;
    let (other, _running) = ledger::start(world.of.database.pool(), world.of.clock.clone()).await;
    for number in 0..50 {
        let id = format!("account-{number}");
        let ledger = if number % 2 == 0 { world.ledger() } else { &other };
        open(ledger, &id).await.unwrap();
        ledger.execute(hold(&id, 1, 60, "k1")).await.unwrap();
    }
    world.caught_up().await;
    world.of.clock.set(later(60));
    let instances = alone(&other);
    let other = Scheduler::new(world.of.database.pool(), other, instances);
    let (one, two) = tokio::join!(world.scheduler.tick(), other.tick());
    assert_eq!(one.unwrap().events + two.unwrap().events, 50);
    assert_eq!(world.count("HoldExpired").await, 50);
    world.end().await;
}

#[tokio::test]
async fn a_closed_account_is_left_alone() {
    let world = World::start().await;
    hold_and_release(&world).await;
    let close = Command::Account(AccountCommand::CloseAccount { reason: "a test".to_owned() });
    world.ledger().execute(request("acme", close, IdempotencyKey::caller("k3"))).await.unwrap();
    assert_eq!(world.tick_at(later(600)).await, Ticked { settled: 1, events: 0, left: 0 });
    assert_eq!(world.deadlines().await, 0);
    world.end().await;
}
