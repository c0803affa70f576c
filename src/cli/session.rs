//! What does a command need to work with the database? Settings, the database, and an orderly end of both.

use sqlx::PgPool;

use crate::{
    app::{Database, catalogs, mode},
    clock::Clock,
    config::{Config, LoadedCatalog, SettingSources, settings},
    postgres::pool,
    telemetry,
};

use super::{
    exit::CliFailure,
    flags::{DatabaseFlags, Flags},
};

/// Connections that one command needs at a time.
const CONNECTIONS: u32 = 8;
/// A command prints what it does, so only problems are logged.
const LOG_FILTER: &str = "warn";

pub(super) struct CliSession {
    pub(super) config: Config,
    pub(super) pool: PgPool,
    pub(super) clock: Clock,
    database: Database,
}

impl CliSession {
    async fn open(config: Config) -> Result<Self, CliFailure> {
        let database = Database::join(&config.database, config.shards).await.map_err(CliFailure::broken)?;
        let pool = database.pool(CONNECTIONS);
        Ok(Self { config, pool, clock: Clock::system(), database })
    }

    async fn close(self) {
        pool::close(&self.pool).await;
        self.database.close().await;
    }
}

/// Does something with the database.
pub(super) async fn with<T>(
    flags: &DatabaseFlags,
    work: impl AsyncFnOnce(&CliSession) -> Result<T, CliFailure>,
) -> Result<T, CliFailure> {
    let given = flags.given();
    let config = Config::read(&given)?;
    start_logs(&given, &config);
    run(config, work).await
}

/// Does something with the database that needs the catalog too.
pub(super) async fn with_catalog<T, const SERVE: bool>(
    flags: &Flags<SERVE>,
    work: impl AsyncFnOnce(&CliSession, LoadedCatalog) -> Result<T, CliFailure>,
) -> Result<T, CliFailure> {
    let given = flags.given();
    let (config, catalog) = Config::read_with_catalog(&given)?;
    start_logs(&given, &config);
    run(config, async |session: &CliSession| {
        mode::check(&session.pool, session.config.mode).await.map_err(CliFailure::broken)?;
        let mut catalog = catalog;
        let recalled = catalogs::recall(&session.pool, &mut catalog.catalog, session.config.mode).await;
        recalled.map_err(CliFailure::broken)?;
        work(session, catalog).await
    })
    .await
}

async fn run<T>(
    config: Config,
    work: impl AsyncFnOnce(&CliSession) -> Result<T, CliFailure>,
) -> Result<T, CliFailure> {
    let session = CliSession::open(config).await?;
    let worked = work(&session).await;
    session.close().await;
    worked
}

/// Starts logs that say only what is wrong, unless something else was set.
pub(super) fn start_logs(given: &SettingSources, config: &Config) {
    let mut log = config.log.clone();
    if !given.is_set(settings::LOG) {
        LOG_FILTER.clone_into(&mut log.filter);
    }
    telemetry::start_logs(&log);
}
