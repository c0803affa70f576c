//! A ledger on a test's own database, with the catalog of the music platform and a clock that stands still.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    clock::Clock,
    domain::{
        amount::Credits,
        catalog::Catalog,
        command::{AccountCommand, Command, CreditsCommand, GrantCredits},
        credits::{Balance, Source},
        ids::{AccountId, Actor, GrantId},
        recorded::{EventMetadata, Origin, RequestHash},
        time::Timestamp,
    },
    instances::Instances,
    journal::feed::Feed,
    ledger::{CacheMemory, ExecuteResult, IdempotencyKey, Ledger, Provenance, Request, Running},
};
use sqlx::PgPool;

use super::{catalogs, database::TestDatabase};

const PATIENCE: Duration = Duration::from_secs(20);

/// A ledger, its clock and its database.
pub struct TestLedger {
    pub ledger: Ledger,
    pub clock: Clock,
    pub running: Running,
    pub database: TestDatabase,
}

pub fn music() -> Arc<Catalog> {
    catalogs::unset(catalogs::MUSIC)
}

/// The same catalog with a price at Stripe for everything in it.
pub fn music_for_sale() -> Arc<Catalog> {
    catalogs::for_sale(catalogs::MUSIC)
}

pub fn noon() -> Timestamp {
    Timestamp::parse("2026-11-20T12:00:00Z").expect("a time")
}

impl TestLedger {
    pub async fn start() -> Self {
        Self::selling(music()).await
    }

    /// With one shard, whatever others have: positions tell its events apart.
    pub async fn of_one_shard() -> Self {
        Self::on(TestDatabase::of_shards(1).await, music()).await
    }

    pub async fn selling(catalog: Arc<Catalog>) -> Self {
        Self::on(TestDatabase::create().await, catalog).await
    }

    pub async fn on(database: TestDatabase, catalog: Arc<Catalog>) -> Self {
        let clock = Clock::fixed(noon());
        let started = Ledger::start(database.pool(), catalog, clock.clone()).await;
        let (ledger, running) = started.expect("the database answers");
        Self { ledger, clock, running, database }
    }

    /// Waits for the snapshots that are due, which are taken soon after the events are stored.
    pub async fn until_snapshots_are_taken(&self) {
        let (pool, begun) = (self.database.pool(), Instant::now());
        let untaken = include_str!("untaken_snapshots.sql");
        while sqlx::query_scalar::<_, i64>(untaken).fetch_one(&pool).await.expect("it answers") > 0 {
            assert!(begun.elapsed() < PATIENCE, "snapshots are missing");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Those of a ledger that one instance works on.
pub fn alone(ledger: &Ledger) -> Instances {
    Instances::new(ledger.shards().clone(), None)
}

/// A ledger as one instance of the program has it.
pub async fn start(pool: PgPool, clock: Clock) -> (Ledger, Running) {
    Ledger::start(pool, music(), clock).await.expect("the database answers")
}

/// The same, with a feed whose readers are given what it appends.
pub async fn start_with_feed(pool: PgPool, clock: Clock, feed: Feed) -> (Ledger, Running) {
    Ledger::start_with(pool, music(), clock, feed, CacheMemory::default())
        .await
        .expect("the database answers")
}

pub fn account(id: &str) -> AccountId {
    AccountId::parse(id).expect("an id")
}

pub fn credits(amount: i64) -> Credits {
    Credits::new(amount).expect("not negative")
}

pub fn request(id: &str, command: Command, key: IdempotencyKey) -> Request {
    let actor = Actor::parse("test").expect("an actor");
    let provenance = Provenance {
        actor,
        origin: Origin::Api,
        correlation_id: None,
        causation_id: None,
        stripe_event: None,
    };
    Request::new(account(id), command, key, provenance)
}

pub fn deduct(id: &str, amount: i64, key: &str) -> Request {
    let command = Command::Credits(CreditsCommand::DeductCredits {
        amount: credits(amount),
        id: None,
        description: None,
    });
    request(id, command, IdempotencyKey::caller(key))
}

pub async fn open(ledger: &Ledger, id: &str) -> ExecuteResult {
    ledger.execute(opening(id)).await
}

pub fn opening(id: &str) -> Request {
    request(id, Command::Account(AccountCommand::OpenAccount), IdempotencyKey::opening())
}

/// Gives so many credits that never expire.
pub async fn grant(ledger: &Ledger, id: &str, amount: i64, key: &str) -> ExecuteResult {
    let command = Command::Credits(CreditsCommand::GrantCredits(GrantCredits {
        grant_id: GrantId::parse(&format!("bonus:{key}")).expect("an id"),
        source: Source::Bonus,
        amount: credits(amount),
        starts_at: None,
        expires_at: None,
        priority: None,
        cost: None,
        reason: "test".to_owned(),
    }));
    ledger.execute(request(id, command, IdempotencyKey::caller(key))).await
}

/// What is beside an event that nobody's command has made.
pub fn metadata(balance: Balance, stripe_event: Option<String>) -> EventMetadata {
    EventMetadata {
        command: None,
        request_hash: RequestHash::default(),
        actor: Actor::parse("test").expect("an actor"),
        origin: Origin::Api,
        catalog: "catalog".into(),
        events: 1,
        balance_then: None,
        balance,
        correlation_id: None,
        causation_id: None,
        stripe_event,
    }
}
