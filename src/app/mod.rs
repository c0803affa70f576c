//! How do the parts become one program?
//! They are started in the order in which they need each other, and stopped in the opposite order.

pub mod catalogs;
mod database;
mod error;
mod first_key;
mod listeners;
pub mod mode;

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use database::{Database, DatabaseError};
pub use error::AppError;
pub use first_key::{FirstKey, KeyAudience};

use listeners::{Addresses, Listeners, Servers};
use mode::LedgerMode;

use crate::{
    clock::Clock,
    config::{BillingConfig, Config, LoadedCatalog},
    http::{self, AppParts, AppState},
    instances::Instances,
    journal::feed::Feed,
    ledger::{Ledger, Running},
    postgres::{LastEnd, pool},
    projections,
    projector::Projector,
    scheduler::Scheduler,
    stripe::{
        self, Deployment,
        client::{Client, Patience},
        inbound::{
            inbox::{DocumentRetention, Inbox},
            processor::Processor,
            reconcile::{Nightly, Reconciler},
        },
        outbound::{Billing, BillingMode},
    },
    telemetry,
};

/// Connections for commands, reads, webhooks and the clock.
const POOL_CONNECTIONS: u32 = 24;
/// Connections for the read models, which would otherwise use those of callers while they catch up.
const PROJECTOR_CONNECTIONS: u32 = 16;
/// All connections that one program opens which serves.
const CONNECTIONS_MAX: u32 = POOL_CONNECTIONS + PROJECTOR_CONNECTIONS;
/// How long each part may take to finish its work when the program stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(35);
/// The same, for a request when the ledger was grown.
const GROWN_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A running server.
pub struct App {
    database: Database,
    pools: [PgPool; 2],
    parts: RunningParts,
}

/// What runs on top of the database.
struct RunningParts {
    addresses: Addresses,
    first_key: Option<FirstKey>,
    servers: Servers,
    /// Whether other instances know of this one.
    presence: Background,
    /// Tasks that send commands by themselves: the inbox's processor and the scheduler.
    senders: Background,
    scheduler: Scheduler,
    running: Running,
    /// Is cancelled when another program has grown the ledger.
    grown: CancellationToken,
    readers: Background,
    upkeep: Option<JoinHandle<()>>,
}

/// Tasks that end together.
#[derive(Default)]
struct Background {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Background {
    async fn end(self, what: &'static str) {
        self.stop.cancel();
        self.tasks.close();
        in_time(what, self.tasks.wait()).await;
    }
}

impl App {
    /// Starts everything. When this returns, requests are answered.
    ///
    /// # Errors
    /// If a part cannot be started. The parts that were started before are stopped.
    pub async fn start(
        config: Config,
        catalog: LoadedCatalog,
        clock: Clock,
        teller: KeyAudience,
    ) -> Result<Self, AppError> {
        let listeners = Listeners::take(&config)?;
        let database = Database::open(&config.database, config.shards).await?;
        let pools = [database.pool(POOL_CONNECTIONS), database.pool(PROJECTOR_CONNECTIONS)];
        match RunningParts::start(&config, catalog, clock, listeners, &pools, teller).await {
            Ok(parts) => Ok(Self { database, pools, parts }),
            Err(error) => {
                close(pools).await;
                database.close().await;
                Err(error)
            }
        }
    }

    /// The address for requests.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.parts.addresses.requests
    }

    /// The address for metrics without a key, if there is one.
    #[must_use]
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.parts.addresses.metrics
    }

    /// The key that was made because there was none.
    #[must_use]
    pub const fn first_key(&self) -> Option<&FirstKey> {
        self.parts.first_key.as_ref()
    }

    /// The data directory of the embedded database, if there is one.
    #[must_use]
    pub fn data_directory(&self) -> Option<&Path> {
        self.database.data_directory().map(std::path::PathBuf::as_path)
    }

    /// What applies to accounts what is due, for a caller that moves the clock faster than it looks by itself.
    #[must_use]
    pub const fn scheduler(&self) -> &Scheduler {
        &self.parts.scheduler
    }

    /// Resolves when the embedded database has ended too often, so that nothing can be answered any more.
    pub fn database_ended(&self) -> impl Future<Output = LastEnd> + Send + 'static {
        self.database.ended()
    }

    /// Resolves when another program has grown the ledger, so that nothing can be stored until this one starts again.
    pub fn ledger_grown(&self) -> impl Future<Output = ()> + Send + 'static {
        self.parts.grown.clone().cancelled_owned()
    }

    /// Accepts no more requests, answers the accepted ones, and stops all parts.
    pub async fn stop(self) {
        self.parts.stop().await;
        close(self.pools).await;
        self.database.close().await;
        tracing::info!("stopped");
    }
}

impl RunningParts {
    async fn start(
        config: &Config,
        mut catalog: LoadedCatalog,
        clock: Clock,
        listeners: Listeners,
        pools: &[PgPool; 2],
        teller: KeyAudience,
    ) -> Result<Self, AppError> {
        let [pool, projector_pool] = pools;
        let addresses = listeners.addresses(config)?;
        mode::settle(pool, LedgerMode::of(config.mode, config.sandboxed), &clock).await?;
        catalogs::remember(pool, &catalog, &clock).await?;
        catalogs::recall(pool, &mut catalog.catalog, config.mode).await?;
        let first_key = first_key::see_to(pool, &clock, config, teller).await?;
        // What the ledger appends is handed to the read models in memory.
        let feed = Feed::new(projector_pool.clone());
        let projector = open_projector(projector_pool, feed.clone(), &clock).await?;
        catalogs::tell(&catalogs::on_old_plans(pool, &catalog.catalog).await?);
        let catalog = Arc::new(catalog.catalog);
        let (ledger, running) = Ledger::start_with(pool.clone(), catalog, clock, feed, config.cache).await?;
        let grown = ledger.grown();
        let readers = Background::default();
        projector.start(&readers.tasks, &readers.stop, ledger.positions());
        let instances = Instances::new(ledger.shards().clone(), config.peer_url.clone());
        let inbox = Inbox::new(pool.clone());
        let switch = switch(&config.billing, ledger.catalog().payments.enabled)?;
        let scheduler = Scheduler::new(pool.clone(), ledger.clone(), instances.clone());
        let senders = start_senders(config, pool, (&ledger, &scheduler), &inbox, switch.client());
        let billing = Billing::with(switch, pool.clone(), ledger.clone(), config.billing.settings());
        senders.tasks.spawn(billing.clone().resolve_until(senders.stop.clone()));
        let presence = Background::default();
        presence.tasks.spawn(instances.clone().run(pool.clone(), presence.stop.clone()));
        let metrics = telemetry::start_metrics();
        let upkeep = metrics.clone().map(|metrics| tokio::spawn(telemetry::keep_up(metrics)));
        let state = AppState::new(AppParts {
            ledger,
            pool: pool.clone(),
            mode: config.mode,
            metrics,
            projector,
            instances,
            others: http::passed_on::client()?,
            inbox,
            billing,
            secrets: config.webhook_secrets.clone(),
            settings: http::HttpSettings {
                proxies: Arc::new(config.proxies.clone()),
                ..http::HttpSettings::default()
            },
        });
        Ok(Self {
            addresses,
            first_key,
            servers: listeners.serve(state),
            presence,
            senders,
            scheduler,
            running,
            grown,
            readers,
            upkeep,
        })
    }

    async fn stop(self) {
        // First, so that the others send nothing more.
        self.presence.end("the presence").await;
        if self.grown.is_cancelled() {
            // All instances end now, and can answer again as soon as they are started.
            let _late: Result<(), _> = timeout(GROWN_STOP_TIMEOUT, self.servers.stop()).await;
        } else {
            in_time("the requests", self.servers.stop()).await;
        }
        self.senders.end("webhooks and the clock").await;
        drop(self.scheduler);
        // Nothing can send commands any more, so the ledger ends when everything is answered.
        in_time("the ledger", self.running.finished()).await;
        self.readers.end("the read models").await;
        if let Some(upkeep) = self.upkeep {
            upkeep.abort();
        }
    }
}

/// A projector for all read models.
pub(crate) async fn open_projector(pool: &PgPool, feed: Feed, clock: &Clock) -> Result<Projector, AppError> {
    Ok(Projector::open(pool.clone(), feed, projections::all(), clock.clone()).await?)
}

fn start_senders(
    config: &Config,
    pool: &PgPool,
    (ledger, scheduler): (&Ledger, &Scheduler),
    inbox: &Inbox,
    client: Option<&Client>,
) -> Background {
    let senders = Background::default();
    let deployment = Deployment::new(stripe_mode(config.mode));
    // If billing is switched off, Stripe's deliveries are stored and not processed.
    if ledger.catalog().payments.enabled {
        let processor = Processor::new(inbox.clone(), ledger.clone(), deployment.clone());
        let processor = processor.asking(client.cloned()).retrying(config.inbox);
        senders.tasks.spawn(processor.run(senders.stop.clone()));
    }
    if let Some((client, hour)) = client.zip(config.billing.reconcile_hour) {
        let reconciler = Reconciler::new(client.clone(), inbox.clone(), ledger.clone(), deployment);
        let nightly = Nightly::new(reconciler, pool.clone(), hour);
        senders.tasks.spawn(nightly.run(senders.stop.clone()));
    }
    let retention = DocumentRetention::new(inbox.clone(), ledger.clock().clone(), config.inbox_days);
    senders.tasks.spawn(retention.run(senders.stop.clone()));
    senders.tasks.spawn(scheduler.clone().run(senders.stop.clone()));
    senders.tasks.spawn(ledger.clone().watch_growth(senders.stop.clone()));
    senders
}

/// Whether Stripe is called: both the operator and the catalog can switch it off.
pub(crate) fn switch(config: &BillingConfig, sold: bool) -> Result<BillingMode, AppError> {
    match &config.key {
        _ if !config.on || !sold => Ok(BillingMode::Off),
        None => Ok(BillingMode::NotConfigured),
        Some(key) => Ok(BillingMode::On(Client::new(key, &config.url, Patience::default())?)),
    }
}

pub(crate) const fn stripe_mode(mode: crate::catalog::Mode) -> stripe::StripeMode {
    match mode {
        crate::catalog::Mode::Test => stripe::StripeMode::Test,
        crate::catalog::Mode::Live => stripe::StripeMode::Live,
    }
}

async fn close(pools: [PgPool; 2]) {
    for pool in pools {
        in_time("the database's connections", pool::close(&pool)).await;
    }
}

async fn in_time(what: &'static str, end: impl Future<Output = ()>) {
    if timeout(STOP_TIMEOUT, end).await.is_err() {
        tracing::warn!(what, seconds = STOP_TIMEOUT.as_secs(), "did not end in time");
    }
}
