//! When the database stands still, is the backlog bounded, and is everything that was accepted answered in the end?

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use counterfoil::ledger::{
    COMMANDS_HELD_MAX, COMMANDS_QUEUED_MAX, ExecuteError, ExecuteResult, Ledger, Request,
};
use futures::{future::join_all, poll};
use sqlx::{Connection, Executor, PgConnection};

use crate::support::{
    database::TestDatabase,
    ledger::{TestLedger, account, deduct, grant, open},
};

/// More than may wait.
const CALLERS: usize = 40_000;
const REFUSAL_MAX: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);
const PLENTY: i64 = 1_000_000;

type Waiting<'a> = Pin<Box<dyn Future<Output = ExecuteResult> + Send + 'a>>;

/// A session that stands in the way of others.
struct Obstacle(PgConnection);

impl Obstacle {
    async fn put(database: &TestDatabase, lock: &str) -> Self {
        let options = database.connect_options();
        let mut connection = PgConnection::connect_with(&options).await.expect("connected");
        connection.execute("begin").await.expect("begun");
        connection.execute(lock).await.expect("locked");
        Self(connection)
    }

    /// Waits until somebody stands before it.
    async fn is_met(&mut self) {
        let waits = "select exists (select from pg_locks \
                     where not granted and pg_backend_pid() = any (pg_blocking_pids(pid)))";
        let began = Instant::now();
        while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut self.0).await.expect("answered") {
            assert!(began.elapsed() < PATIENCE, "nobody stands before it");
            tokio::task::yield_now().await;
        }
    }

    async fn remove(mut self) {
        self.0.execute("rollback").await.expect("unlocked");
    }
}

/// Sends requests, and returns those that wait. The others were refused at once.
async fn crowd(ledger: &Ledger, requests: impl Iterator<Item = Request>) -> Vec<Waiting<'_>> {
    let mut waiting = Vec::new();
    let mut slowest = Duration::ZERO;
    for request in requests {
        let began = Instant::now();
        let mut call: Waiting<'_> = Box::pin(ledger.execute(request));
        match poll!(&mut call) {
            std::task::Poll::Pending => waiting.push(call),
            std::task::Poll::Ready(Err(ExecuteError::Overloaded)) => slowest = slowest.max(began.elapsed()),
            std::task::Poll::Ready(answer) => panic!("{answer:?}"),
        }
        // The ledger takes what it can, also where one thread does everything.
        tokio::task::yield_now().await;
    }
    assert!(slowest < REFUSAL_MAX, "a refusal took {slowest:?}");
    assert!(waiting.len() >= COMMANDS_QUEUED_MAX, "only {} were accepted", waiting.len());
    assert!(waiting.len() <= COMMANDS_QUEUED_MAX + COMMANDS_HELD_MAX, "{} were accepted", waiting.len());
    waiting
}

async fn answers(waiting: Vec<Waiting<'_>>) -> Vec<ExecuteResult> {
    tokio::time::timeout(PATIENCE, join_all(waiting)).await.expect("everything that waited is answered")
}

const HEAD: &str = "select position from ledger.heads for update";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_accepted_while_the_journal_is_locked_is_answered_and_the_rest_refused_at_once() {
    let test = TestLedger::of_one_shard().await;
    open(&test.ledger, "acme").await.expect("opened");
    grant(&test.ledger, "acme", PLENTY, "g").await.expect("granted");
    let obstacle = Obstacle::put(&test.database, HEAD).await;
    let requests = (0..CALLERS).map(|number| deduct("acme", 1, &format!("k{number}")));
    let waiting = crowd(&test.ledger, requests).await;
    obstacle.remove().await;
    let accepted = waiting.len() as i64;
    for answer in answers(waiting).await {
        answer.expect("deducted");
    }
    let view = test.ledger.view(&account("acme")).await.expect("readable");
    assert_eq!(view.account.balance(test.clock.now()).available.get(), 50 + PLENTY - accepted);
    assert_eq!(test.ledger.queued(), 0);
}

/// Refusals are not stored, but wait for what they rest on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_will_be_refused_do_not_pile_up_either() {
    let test = TestLedger::of_one_shard().await;
    open(&test.ledger, "acme").await.expect("opened");
    open(&test.ledger, "bolt").await.expect("opened");
    let mut obstacle = Obstacle::put(&test.database, HEAD).await;
    let first = test.ledger.clone();
    let first = tokio::spawn(async move { first.execute(deduct("bolt", 1, "first")).await });
    // Until then, refusals are told as soon as they are looked at.
    obstacle.is_met().await;
    let requests = (0..CALLERS).map(|number| deduct("acme", 51, &format!("k{number}")));
    let waiting = crowd(&test.ledger, requests).await;
    obstacle.remove().await;
    first.await.expect("no panic").expect("deducted");
    for answer in answers(waiting).await {
        assert!(matches!(answer, Err(ExecuteError::Refused(_))), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_on_accounts_that_cannot_be_read_do_not_pile_up_either() {
    let test = TestLedger::of_one_shard().await;
    let obstacle = Obstacle::put(&test.database, "lock table ledger.events in access exclusive mode").await;
    let requests = (0..CALLERS).map(|number| deduct(&format!("cold-{number}"), 1, "k"));
    let waiting = crowd(&test.ledger, requests).await;
    obstacle.remove().await;
    for answer in answers(waiting).await {
        assert!(matches!(answer, Err(ExecuteError::Refused(_))), "{answer:?}");
    }
}
