//! A database for one test, with all tables and no rows.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use counterfoil::{clock::Clock, journal::feed::Feed, postgres::pool, projections, projector::Projector};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgPool};

use super::{
    cluster::{self, SharedServer},
    ledger::noon,
    shards,
};

/// Connections that one test may open at a time through its pool.
const POOL_CONNECTIONS: u32 = 10;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database that is dropped when the test has passed, and kept for a look when it has failed.
pub struct TestDatabase {
    made: Arc<Made>,
    pool: PgPool,
}

struct Made {
    server: &'static SharedServer,
    name: String,
}

impl TestDatabase {
    pub async fn create() -> Self {
        let server = cluster::shared();
        // The process id keeps runs apart that share a server through TEST_DATABASE_URL.
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        server.create_database(name.clone()).await;
        Self::open(Arc::new(Made { server, name }))
    }

    /// One whose journal has so many shards, whatever those of other tests have.
    pub async fn of_shards(count: u16) -> Self {
        if count == shards::count() {
            return Self::create().await;
        }
        let server = cluster::shared();
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        server.create_sharded(name.clone(), count).await;
        Self::open(Arc::new(Made { server, name }))
    }

    /// With one shard, and with the tables of the read models too, as the first start makes them.
    pub async fn with_read_models() -> Self {
        let database = Self::of_shards(1).await;
        let (feed, clock) = (Feed::new(database.pool()), Clock::fixed(noon()));
        Projector::open(database.pool(), feed, projections::all(), clock).await.expect("it opens");
        database
    }

    fn open(made: Arc<Made>) -> Self {
        let pool = pool::open(made.server.connect_options(&made.name), POOL_CONNECTIONS);
        Self { made, pool }
    }

    /// The same database for another server, after this one's.
    pub fn again(&self) -> Self {
        Self::open(Arc::clone(&self.made))
    }

    pub fn pool(&self) -> PgPool {
        self.pool.clone()
    }

    /// For connections beside the pool, as of a second instance.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.made.server.connect_options(&self.made.name)
    }

    /// For a program that is started with `DATABASE_URL`.
    pub fn url(&self) -> String {
        self.connect_options().to_url_lossy().to_string()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.server.keep_database(&self.name);
        } else {
            self.server.drop_database(&self.name);
        }
    }
}
