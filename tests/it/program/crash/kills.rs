//! Does everything that was acknowledged outlive `kill -9`, of the server, of its database, of both?
//!
//! `COUNTERFOIL_CRASH_ROUNDS` says how often; `COUNTERFOIL_CRASH_SEED` repeats what a run has printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    audit::{AuditScope, verify_journal},
    domain::ids::AccountId,
    journal::unique::key_digest,
    postgres::{self, DatabaseAccess, Durability, MAX_CONNECTIONS_DEFAULT, ServerOptions, pool},
};
use sqlx::PgPool;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{
    books::{Books, Holding},
    traffic::{Target, Traffic},
};
use crate::support::{
    Scratch, catalogs,
    dice::{Dice, setting},
    program::{self, Served},
};

const ROUNDS: &str = "COUNTERFOIL_CRASH_ROUNDS";
const ROUNDS_DEFAULT: u64 = 3;
const KEY: &str = "cf_test_of_those_who_survive_all_of_it";
const CALLERS: usize = 48;
const ACCOUNTS: usize = 12;
/// A kill comes after so many answers, or fewer.
const ANSWERS_MAX: usize = 1_200;
/// In a build without optimisation, on a machine with other work.
const RESTART_MAX: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(60);
/// How many answers of earlier rounds are asked for again in each.
const EARLIER_ANSWERS: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Server,
    Postgres,
    Both,
}

/// The program on its embedded, durable database.
struct Stage {
    scratch: Scratch,
    catalog: PathBuf,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_outlives_kills() {
    let rounds = setting(ROUNDS).unwrap_or(ROUNDS_DEFAULT);
    let mut dice = Dice::seeded("kills");
    let stage = Stage::create();
    let accounts: Vec<String> = (0..ACCOUNTS).map(|number| format!("account-{number}")).collect();
    let books = Arc::new(Books::default());
    let mut served = stage.serve().await;
    let opened = target(&served).open(&accounts).await;
    let mut slowest = Duration::ZERO;
    for victim in victims(rounds, &mut dice) {
        let before = books.length();
        let answers = dice.amount(ANSWERS_MAX) as usize;
        let left = kill_under_load(served, victim, answers, &accounts, &books, &mut dice, &stage).await;

        let began = Instant::now();
        served = match left {
            Some(left) => left,
            None => stage.serve().await,
        };
        is_ready(&served).await;
        let restart = began.elapsed();
        assert!(restart < RESTART_MAX, "{victim:?} was killed, and the restart took {restart:?}");
        slowest = slowest.max(restart);

        let target = target(&served);
        let unanswered = target.resend(&books, &mut dice).await;
        let mut earlier = books.done_since(0);
        let asked = (0..EARLIER_ANSWERS).filter_map(|_| dice.draw(&mut earlier)).collect();
        target.expect_same(asked, &mut dice).await;
        // What was resent has moved to the end, so this is all that was done in this round.
        target.expect_same(books.done_since(before), &mut dice).await;
        let holdings = books.holdings(&accounts, opened);
        assert_holdings(&target, &holdings).await;
        stage.assert_journal(&books).await;
        eprintln!("{victim:?} after {answers} answers: {unanswered} had none, restart in {restart:?}");
    }
    eprintln!("{rounds} rounds: {}, slowest restart {slowest:?}", books.summary());
    assert_eq!(spawn_blocking(move || served.stop()).await.unwrap().code(), Some(0));
    stage.assert_audit().await;
}

/// Each in every three rounds, in any order.
fn victims(rounds: u64, dice: &mut Dice) -> Vec<Victim> {
    let mut victims = Vec::new();
    let mut left = Vec::new();
    for _ in 0..rounds {
        if left.is_empty() {
            left = vec![Victim::Server, Victim::Postgres, Victim::Both];
        }
        victims.extend(dice.draw(&mut left));
    }
    victims
}

fn target(served: &Served) -> Target {
    Target::new(vec![format!("http://{}", served.address)], KEY)
}

/// Returns when every caller has stopped; with the server, where that goes on by itself.
async fn kill_under_load(
    served: Served,
    victim: Victim,
    answers: usize,
    accounts: &[String],
    books: &Arc<Books>,
    dice: &mut Dice,
    stage: &Stage,
) -> Option<Served> {
    let mut answered = books.answers();
    let goal = *answered.borrow() + answers;
    let traffic = Traffic::begin(CALLERS, &target(&served), accounts, books, dice);
    let reached = tokio::time::timeout(PATIENCE, answered.wait_for(|answered| *answered >= goal)).await;
    reached.expect("answers come").expect("the books are open");
    let database = stage.scratch.path().join("data");
    let first = pid_of_postgres(&database);
    let left = stage.kill(served, victim).await;
    let Some(left) = left else {
        tokio::time::timeout(PATIENCE, traffic.broken()).await.expect("every caller notices");
        return None;
    };
    // Some callers notice, and the others go on when the database is back.
    let began = Instant::now();
    while [0, first].contains(&pid_of_postgres(&database)) {
        assert!(began.elapsed() < PATIENCE, "the database is not started again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    is_ready(&left).await;
    traffic.end().await;
    Some(left)
}

/// Waits until the server can serve, as whoever sends requests to it would.
async fn is_ready(served: &Served) {
    let began = Instant::now();
    while reqwest::get(served.url("/readyz")).await.expect("an answer").status() != 200 {
        assert!(began.elapsed() < PATIENCE, "it is not ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn assert_holdings(target: &Target, expected: &BTreeMap<String, Holding>) {
    for (account, holding) in expected {
        let told = target.account(&target.addresses()[0], account).await;
        let told = &told["balance"];
        let told_holding =
            Holding { available: told["available"].as_i64().unwrap(), held: told["held"].as_i64().unwrap() };
        assert_eq!((told_holding, &told["debt"]), (*holding, &serde_json::json!(0)), "{account}");
    }
}

impl Stage {
    fn create() -> Self {
        let scratch = Scratch::create();
        // The callers generate more than five times a day.
        let catalog = catalogs::MUSIC.replace("max = 5 }", "max = 1_000_000 }");
        let path = scratch.path().join("catalog.toml");
        std::fs::write(&path, catalog).expect("the directory is ours");
        Self { scratch, catalog: path }
    }

    async fn serve(&self) -> Served {
        let (directory, catalog) = (self.scratch.path().join("data"), self.catalog.clone());
        let start = move || {
            Served::start(|command| {
                command
                    .env("COUNTERFOIL_DATA_DIR", directory)
                    .env("COUNTERFOIL_CATALOG", catalog)
                    .env("COUNTERFOIL_BOOTSTRAP_KEY", KEY)
                    .env("RUST_LOG", "warn");
            })
        };
        spawn_blocking(start).await.expect("it serves")
    }

    /// Kills. The server goes on where only its database was killed; else it has ended when this returns.
    async fn kill(&self, served: Served, victim: Victim) -> Option<Served> {
        if victim != Victim::Server {
            let pid = pid_of_postgres(&self.scratch.path().join("data"));
            assert_ne!(pid, 0, "it runs");
            // SAFETY: kill has no memory effects in this process; the pid is that of the child's own server.
            assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
        }
        if victim == Victim::Postgres {
            return Some(served);
        }
        served.signal(libc::SIGKILL);
        spawn_blocking(move || served.wait()).await.expect("it ends");
        None
    }

    /// A way into the database of the server that runs.
    async fn pool(&self) -> PgPool {
        let access = postgres::join_or_start(ServerOptions {
            data_directory: self.scratch.path().join("data"),
            binaries: None,
            durability: Durability::On,
            max_connections: MAX_CONNECTIONS_DEFAULT,
        });
        match access.await.expect("it runs") {
            DatabaseAccess::Joined(options) => pool::open(*options, 2),
            DatabaseAccess::Started(_) | DatabaseAccess::Kept(_) => panic!("the server runs it"),
        }
    }

    /// Every command that was acknowledged is stored once, and nothing else; nobody was ever below zero.
    async fn assert_journal(&self, books: &Books) {
        let pool = self.pool().await;
        assert_stored_once(&pool, books).await;
        let verification =
            verify_journal(&pool, &AuditScope::WHOLE, |_, _| {}).await.expect("the database answers");
        assert!(verification.is_clean(), "{:?}", verification.findings);
        pool.close().await;
    }

    /// As an operator would ask, read models included.
    async fn assert_audit(&self) {
        let directory = self.scratch.path().join("data");
        let audit = move || {
            let mut command = program::command(&["--json", "audit", "verify"]);
            program::run(command.env("COUNTERFOIL_DATA_DIR", directory))
        };
        let output = spawn_blocking(audit).await.unwrap();
        assert_eq!(program::code(&output), 0, "{:?} {}", output, program::stderr(&output));
        assert_eq!(program::json(&output)["findings"], serde_json::json!([]));
    }
}

/// The keys in the journal are those of the commands that were done, each on one event; no account was ever below zero.
pub async fn assert_stored_once(pool: &PgPool, books: &Books) {
    let stored: Vec<(String, Uuid)> = sqlx::query_as(
        "select aggregate_id, key_digest from ledger.events \
         where key_digest is not null and metadata ->> 'origin' is null and event_type <> 'AccountOpened'",
    )
    .fetch_all(pool)
    .await
    .expect("read");
    let digest = |account: &str, key: &str| {
        key_digest(&AccountId::parse(account).expect("an id"), &format!("api:{key}"))
    };
    let keys = books.keys().into_iter().map(|(account, key)| (account.clone(), digest(&account, &key)));
    let keys: BTreeSet<_> = keys.collect();
    assert_eq!(stored.len(), keys.len(), "{} stored, {} acknowledged", stored.len(), keys.len());
    let stored = stored.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(stored, keys);
    let below: i64 = sqlx::query_scalar(
        "select count(*) from ledger.events, lateral (select metadata ->> 'balance') as after (balance) \
         where split_part(balance, ' ', 1)::bigint < 0 or coalesce(nullif(split_part(balance, ' ', 2), ''), '0')::bigint < 0 \
         or coalesce(nullif(split_part(balance, ' ', 3), ''), '0')::bigint <> 0",
    )
    .fetch_one(pool)
    .await
    .expect("read");
    assert_eq!(below, 0, "an account was below zero");
}

/// 0 while none runs.
fn pid_of_postgres(directory: &Path) -> i32 {
    let text = std::fs::read_to_string(directory.join("postgres/postmaster.pid")).unwrap_or_default();
    text.lines().next().and_then(|line| line.parse().ok()).unwrap_or(0)
}
