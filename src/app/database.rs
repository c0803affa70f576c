//! How does a program get a database that runs, is migrated, and is used with no more privileges than needed?

use std::{future::Future, path::PathBuf, pin::Pin};

use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::{
    clock::Clock,
    config::DatabaseConfig,
    postgres::{
        self, DATABASE, DatabaseAccess, Keeper, LastEnd, StartError,
        doctor::{self, DatabaseFinding, Examination, ServerPlace},
        migrations::{self, MigrationError},
        pool, roles,
    },
};

/// A migrated database, and the embedded server if this process runs it.
#[derive(Debug)]
pub struct Database {
    /// With the service's role, if the login may use it.
    options: PgConnectOptions,
    embedded: Option<Embedded>,
}

#[derive(Debug)]
struct Embedded {
    access: DatabaseAccess,
    data_directory: PathBuf,
}

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the database that DATABASE_URL names does not answer")]
    Unreachable(#[source] sqlx::Error),
    #[error("the database could not be migrated")]
    Migration(#[from] MigrationError),
    #[error("the rights of the login could not be found out")]
    Rights(#[source] sqlx::Error),
    #[error("the database could not be examined")]
    Examination(#[source] sqlx::Error),
}

impl Database {
    /// For a program that serves: it runs the embedded server itself, and restarts it if it ends.
    /// `shards`: how many the journal has, or gets if the database is new; `None`: as many as it has, or one.
    ///
    /// # Errors
    /// If there is no database, another process serves from the data directory, or a migration fails.
    pub async fn open(config: &DatabaseConfig, shards: Option<u16>) -> Result<Self, DatabaseError> {
        let access = match config.embedded() {
            Some(options) => {
                let server = postgres::start(options.clone()).await?;
                Some(DatabaseAccess::Kept(Keeper::of(server, options)))
            }
            None => None,
        };
        Self::prepare(config, access, shards).await
    }

    /// For a command beside a program that may be serving, whose embedded server is then used.
    ///
    /// # Errors
    /// Like [`Self::open`], except that another process may serve.
    pub async fn join(config: &DatabaseConfig, shards: Option<u16>) -> Result<Self, DatabaseError> {
        let access = match config.embedded() {
            Some(options) => Some(postgres::join_or_start(options).await?),
            None => None,
        };
        Self::prepare(config, access, shards).await
    }

    /// Is the database as the ledger needs it? It is used as it is: nothing is migrated, and no cluster is made.
    ///
    /// # Errors
    /// If there is no database, or it does not answer.
    pub async fn examine(
        config: &DatabaseConfig,
        clock: &Clock,
    ) -> Result<Vec<DatabaseFinding>, DatabaseError> {
        let access = match config.embedded() {
            Some(options) => Some(postgres::join_or_start_existing(options).await?),
            None => None,
        };
        let (embedded, login) = Self::reach(config, access).await?;
        let place = embedded
            .as_ref()
            .map_or(ServerPlace::External, |embedded| ServerPlace::Embedded(embedded.data_directory.clone()));
        let now = || clock.now().to_utc();
        let examination = Examination { place, now: &now, connections: super::CONNECTIONS_MAX };
        let findings = doctor::examine(&login, &examination).await.map_err(DatabaseError::Examination);
        if let Some(embedded) = embedded {
            embedded.access.end().await;
        }
        findings
    }

    async fn prepare(
        config: &DatabaseConfig,
        access: Option<DatabaseAccess>,
        shards: Option<u16>,
    ) -> Result<Self, DatabaseError> {
        let (embedded, login) = Self::reach(config, access).await?;
        migrations::run(&login, shards).await?;
        let options = roles::with_least_rights(&login).await.map_err(DatabaseError::Rights)?;
        Ok(Self { options, embedded })
    }

    /// The login of a database that answers.
    async fn reach(
        config: &DatabaseConfig,
        access: Option<DatabaseAccess>,
    ) -> Result<(Option<Embedded>, PgConnectOptions), DatabaseError> {
        let embedded = match (config, access) {
            (DatabaseConfig::Embedded { data_directory, .. }, Some(access)) => {
                Some(Embedded { access, data_directory: data_directory.clone() })
            }
            (DatabaseConfig::Embedded { .. } | DatabaseConfig::External(_), _) => None,
        };
        let login = match (&embedded, config) {
            (Some(embedded), _) => embedded.access.connect_options(),
            (None, DatabaseConfig::External(options)) => options.as_ref().clone(),
            // An embedded server always returns its own options, so these are not used; they name the same database.
            (None, DatabaseConfig::Embedded { .. }) => PgConnectOptions::new().database(DATABASE),
        };
        // Waits for a database that is started at the same time.
        pool::connect(login.clone(), 1).await.map_err(DatabaseError::Unreachable)?.close().await;
        Ok((embedded, login))
    }

    /// A pool of at most `max` connections.
    #[must_use]
    pub fn pool(&self, max: u32) -> PgPool {
        pool::open(self.options.clone(), max)
    }

    /// The data directory of the embedded server. `None`: somebody else runs the database.
    #[must_use]
    pub fn data_directory(&self) -> Option<&PathBuf> {
        self.embedded.as_ref().map(|embedded| &embedded.data_directory)
    }

    /// Resolves when the embedded server has ended too often. Never resolves for other databases.
    pub fn ended(&self) -> Pin<Box<dyn Future<Output = LastEnd> + Send>> {
        match self.embedded.as_ref().map(|embedded| &embedded.access) {
            Some(DatabaseAccess::Kept(keeper)) => Box::pin(keeper.ended()),
            Some(DatabaseAccess::Started(_) | DatabaseAccess::Joined(_)) | None => {
                Box::pin(std::future::pending())
            }
        }
    }

    /// Stops the embedded server, if this process runs it.
    pub async fn close(self) {
        if let Some(embedded) = self.embedded {
            embedded.access.end().await;
        }
    }
}
