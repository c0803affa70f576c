//! Are commands kept and answered once while the connection to the database breaks, again and again?

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use counterfoil::{
    audit::{AuditScope, verify_journal},
    clock::Clock,
    ledger::{ExecuteError, Ledger, Outcome, Request, Running},
    postgres::pool,
};
use futures::future::join_all;
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::{sync::watch, time::timeout};

use crate::support::{
    database::TestDatabase,
    ledger::{TestLedger, account, deduct, grant, noon, open, start},
    proxy::{Fault, Proxy},
};

const ACCOUNTS: usize = 10;
const WORKERS: usize = 32;
const COMMANDS_PER_WORKER: usize = 100;
const CUTS: usize = 40;
/// How often one command is tried before it is taken for lost.
const TRIES_MAX: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(60);
const PLENTY: i64 = 1_000_000;

/// Sends a request until it has an outcome.
async fn insist(ledger: &Ledger, request: Request) -> Outcome {
    for _ in 0..TRIES_MAX {
        match ledger.execute(request.clone()).await {
            Ok(outcome) => return outcome,
            Err(ExecuteError::Unavailable | ExecuteError::OutcomeUnknown | ExecuteError::Overloaded) => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("no outcome after {TRIES_MAX} tries");
}

async fn available(ledger: &Ledger, clock: &Clock, id: &str) -> i64 {
    ledger.view(&account(id)).await.expect("readable").account.balance(clock.now()).available.get()
}

async fn stored(pool: &PgPool, id: &str) -> i64 {
    sqlx::query_scalar(
        "select count(*) from ledger.events where aggregate_id = $1 and event_type = 'CreditsDeducted'",
    )
    .bind(id)
    .fetch_one(pool)
    .await
    .expect("counted")
}

async fn assert_clean(pool: &PgPool) {
    let verification =
        verify_journal(pool, &AuditScope::WHOLE, |_, _| {}).await.expect("the database answers");
    assert!(verification.is_clean(), "{:?}", verification.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_are_stored_once_while_every_connection_is_ended_again_and_again() {
    let test = TestLedger::start().await;
    let ids: Vec<String> = (0..ACCOUNTS).map(|number| format!("account-{number}")).collect();
    for id in &ids {
        open(&test.ledger, id).await.expect("opened");
        grant(&test.ledger, id, PLENTY, "g").await.expect("granted");
    }
    let done = watch::Sender::new(0_usize);
    let workers = (0..WORKERS).map(|worker| {
        let (ledger, ids, done) = (test.ledger.clone(), ids.clone(), done.clone());
        tokio::spawn(async move {
            for number in 0..COMMANDS_PER_WORKER {
                let id = &ids[(worker + number) % ACCOUNTS];
                insist(&ledger, deduct(id, 1, &format!("k{worker}-{number}"))).await;
                done.send_modify(|done| *done += 1);
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut admin = PgConnection::connect_with(&test.database.connect_options()).await.expect("connected");
    let mut progress = done.subscribe();
    let total = WORKERS * COMMANDS_PER_WORKER;
    let mut ended = 0;
    for cut in 0..CUTS {
        let goal = cut * total / CUTS;
        timeout(PATIENCE, progress.wait_for(|done| *done >= goal)).await.expect("it goes on").expect("open");
        ended += admin
            .fetch_all(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                 where datname = current_database() and application_name = 'counterfoil'",
            )
            .await
            .expect("allowed")
            .len();
    }
    for worker in workers {
        timeout(PATIENCE, worker).await.expect("it ends").expect("no panic");
    }
    eprintln!("{ended} connections were ended in {CUTS} cuts");
    assert!(ended >= CUTS / 2, "{ended}");
    for id in &ids {
        let each = (total / ACCOUNTS) as i64;
        assert_eq!(stored(&test.database.pool(), id).await, each);
        assert_eq!(available(&test.ledger, &test.clock, id).await, 50 + PLENTY - each);
    }
    assert_clean(&test.database.pool()).await;
}

/// A ledger that reaches its database through something that can be broken.
struct Behind {
    ledger: Ledger,
    _running: Running,
    clock: Clock,
    proxy: Proxy,
    database: TestDatabase,
    sent: AtomicUsize,
}

impl Behind {
    /// With an account that has plenty, and a connection that has appended.
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let (proxy, options) = Proxy::before(&database.connect_options());
        let clock = Clock::fixed(noon());
        let (ledger, running) = start(pool::open(options, 5), clock.clone()).await;
        open(&ledger, "acme").await.expect("opened");
        grant(&ledger, "acme", PLENTY, "g").await.expect("granted");
        Self { ledger, _running: running, clock, proxy, database, sent: AtomicUsize::new(0) }
    }

    fn deduction(&self) -> Request {
        deduct("acme", 1, &format!("k{}", self.sent.fetch_add(1, Ordering::Relaxed)))
    }

    /// Sends deductions at once. Each must have an outcome.
    async fn spend(&self, count: usize) -> Vec<Outcome> {
        let calls = join_all((0..count).map(|_| self.ledger.execute(self.deduction())));
        let answers = timeout(PATIENCE, calls).await.expect("they are answered");
        answers.into_iter().map(|answer| answer.expect("deducted")).collect()
    }

    async fn assert_once(&self) {
        let sent = self.sent.load(Ordering::Relaxed) as i64;
        assert_eq!(stored(&self.database.pool(), "acme").await, sent);
        assert_eq!(available(&self.ledger, &self.clock, "acme").await, 50 + PLENTY - sent);
        assert_clean(&self.database.pool()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_whose_answer_is_lost_is_found_by_its_keys() {
    let behind = Behind::start().await;
    for round in 0..10 {
        let fault = behind.proxy.next_append(Fault::LoseAnswer);
        behind.spend(50).await;
        timeout(PATIENCE, fault.happened()).await.unwrap_or_else(|_| panic!("no answer was lost in {round}"));
    }
    behind.assert_once().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_that_is_lost_on_its_way_is_stored_all_the_same() {
    let behind = Behind::start().await;
    for round in 0..10 {
        let fault = behind.proxy.next_append(Fault::LoseRequest);
        behind.spend(50).await;
        timeout(PATIENCE, fault.happened()).await.unwrap_or_else(|_| panic!("no batch was lost in {round}"));
    }
    behind.assert_once().await;
}

/// The commands have been decided again and stored by then, so a late batch would double them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_that_arrives_late_is_refused() {
    let behind = Behind::start().await;
    let fault = behind.proxy.next_append(Fault::Delay);
    behind.spend(50).await;
    let answer = timeout(PATIENCE, fault.deliver()).await.expect("the database answers");
    assert!(answer.windows(5).any(|code| code == b"CF001"), "{}", String::from_utf8_lossy(&answer));
    behind.assert_once().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_that_is_decided_again_is_found_when_its_commit_is_not_confirmed() {
    let behind = Behind::start().await;
    let (other, _running) = start(behind.database.pool(), behind.clock.clone()).await;
    for round in 0..10 {
        // Another instance writes, so that the next batch comes too late and is decided again.
        other.execute(behind.deduction()).await.expect("deducted");
        let fault = behind.proxy.next_commit(Fault::LoseAnswer);
        behind.spend(20).await;
        timeout(PATIENCE, fault.happened()).await.unwrap_or_else(|_| panic!("no commit was lost in {round}"));
    }
    behind.assert_once().await;
}

/// “Nothing was stored” may only be said when it is known.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_may_be_stored_is_not_called_unavailable_when_the_database_then_takes_nothing() {
    let behind = Behind::start().await;
    let mut admin = PgConnection::connect_with(&behind.database.connect_options()).await.expect("connected");
    let name: String =
        sqlx::query_scalar("select current_database()").fetch_one(&mut admin).await.expect("named");
    // As after a failover to a server that only reads: sessions that begin now cannot write.
    let alter = format!("alter database {name} set default_transaction_read_only = on");
    admin.execute(alter.as_str()).await.expect("allowed");
    let fault = behind.proxy.next_append(Fault::LoseAnswer);
    let request = behind.deduction();
    let answer = timeout(PATIENCE, behind.ledger.execute(request.clone())).await.expect("answered");
    assert_eq!(answer, Err(ExecuteError::OutcomeUnknown));
    timeout(PATIENCE, fault.happened()).await.expect("the answer was lost");
    // What was never sent is not stored, and may be called so.
    let answer =
        timeout(PATIENCE, behind.ledger.execute(deduct("acme", 1, "never"))).await.expect("answered");
    assert_eq!(answer, Err(ExecuteError::Unavailable));

    let reset = format!("alter database {name} reset default_transaction_read_only");
    admin.execute(reset.as_str()).await.expect("allowed");
    assert!(insist(&behind.ledger, request).await.replayed);
    behind.assert_once().await;
}
