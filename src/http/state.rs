//! What do handlers work with?

use std::{ops::Deref, sync::Arc, time::Duration};

use axum::body::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;

use tokio::sync::Semaphore;

use super::{
    address_limit::Visits, outages::Outages, proxies::Proxies, readiness::ReadinessResponse,
    refused_keys::RefusedKeys, sampled::Sampled,
};
use crate::{
    auth::keys::KeyCache,
    catalog::Mode,
    instances::Instances,
    ledger::Ledger,
    projector::Projector,
    queries::ReportSource,
    stripe::{
        inbound::{inbox::Inbox, signature::Secrets},
        outbound::Billing,
    },
};

/// Requests a minute for a key without a limit of its own.
pub const REQUESTS_PER_MINUTE_DEFAULT: u32 = 600_000;
/// How long a read waits for a read model to reach `min_position`.
pub const POSITION_WAIT_DEFAULT: Duration = Duration::from_secs(5);

/// Requests a minute for an address without a key.
pub const VISITS_PER_MINUTE_DEFAULT: u32 = 6_000;

/// How many audits run at a time.
const AUDITS_MAX: usize = 2;

/// The parts of the server, which the program puts together once.
pub struct AppParts {
    pub ledger: Ledger,
    /// For read models and keys.
    pub pool: PgPool,
    /// Which keys are made: `cf_test_…` or `cf_live_…`.
    pub mode: Mode,
    /// What `/metrics` shows. `None`: metrics are off, and the route says so.
    pub metrics: Option<PrometheusHandle>,
    pub projector: Projector,
    /// Who else works on this ledger.
    pub instances: Instances,
    /// For requests to them.
    pub others: reqwest::Client,
    pub inbox: Inbox,
    /// Calls to Stripe.
    pub billing: Billing,
    /// The secrets of Stripe's deliveries. Without any, no delivery is accepted.
    pub secrets: Secrets,
    pub settings: HttpSettings,
}

/// What an operator can set.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// For keys without a limit of their own. `None`: no limit.
    pub requests_per_minute: Option<u32>,
    pub position_wait: Duration,
    /// For each address without a key; 0: no limit.
    pub visits_per_minute: u32,
    /// The proxies that may say who sent a request.
    pub proxies: Arc<Proxies>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            requests_per_minute: Some(REQUESTS_PER_MINUTE_DEFAULT),
            position_wait: POSITION_WAIT_DEFAULT,
            visits_per_minute: VISITS_PER_MINUTE_DEFAULT,
            proxies: Arc::default(),
        }
    }
}

/// What every handler gets. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<SharedState>);

pub struct SharedState {
    pub ledger: Ledger,
    pub pool: PgPool,
    pub mode: Mode,
    pub metrics: Option<PrometheusHandle>,
    pub settings: HttpSettings,
    pub keys: KeyCache,
    pub projector: Projector,
    pub instances: Instances,
    pub others: reqwest::Client,
    pub inbox: Inbox,
    pub billing: Billing,
    pub secrets: Secrets,
    /// The rate limits of callers without a key.
    pub visits: Visits,
    /// Addresses whose keys were not accepted.
    pub refused: RefusedKeys,
    /// The last answer of `/metrics`.
    pub scraped: Sampled<Bytes>,
    /// The last answer of `/readyz`.
    pub readiness: Sampled<ReadinessResponse>,
    /// When an unavailable database was last logged.
    pub outages: Outages,
    /// An audit reads much, so only a few run at a time.
    /// Its place is taken until its work is done, even if its caller disconnects.
    pub audits: Arc<Semaphore>,
}

impl AppState {
    #[must_use]
    pub fn new(parts: AppParts) -> Self {
        let AppParts {
            ledger,
            pool,
            mode,
            metrics,
            projector,
            instances,
            others,
            inbox,
            billing,
            secrets,
            settings,
        } = parts;
        let keys = KeyCache::new(pool.clone(), ledger.clock().clone(), settings.requests_per_minute);
        let visits = Visits::per_minute(settings.visits_per_minute);
        let audits = Arc::new(Semaphore::new(AUDITS_MAX));
        Self(Arc::new(SharedState {
            ledger,
            pool,
            mode,
            metrics,
            settings,
            keys,
            projector,
            instances,
            others,
            inbox,
            billing,
            secrets,
            visits,
            refused: RefusedKeys::default(),
            scraped: Sampled::default(),
            readiness: Sampled::default(),
            outages: Outages::default(),
            audits,
        }))
    }
}

impl SharedState {
    /// Where reports are read from.
    #[must_use]
    pub const fn reports(&self) -> ReportSource<'_> {
        let Self { ledger, projector, pool, settings, .. } = self;
        ReportSource { ledger, projector, pool, position_wait: settings.position_wait }
    }
}

impl Deref for AppState {
    type Target = SharedState;

    fn deref(&self) -> &SharedState {
        &self.0
    }
}
