//! What if there were no Stripe? A stand-in for it that keeps state, so that everything can be tried without an account
//! and without a network.
//!
//! It knows nothing of the ledger, and the ledger knows nothing of it but an address: `/v1` answers as Stripe's API,
//! `/checkout` and `/portal` are pages for people, webhooks are signed and sent, and `/_sandbox` moves the clock and
//! makes things go wrong. Nothing is kept when it ends. It is a sandbox on every page and in every answer, and it
//! refuses live keys.

mod answers;
mod api;
mod billing;
mod calendar;
mod call;
mod control;
mod doors;
mod failure;
mod form;
mod idempotency;
mod ids;
mod money;
mod objects;
mod operations;
mod outbox;
mod pages;
mod parameters;
mod seed;
mod sender;
mod shared;
mod state;
mod store;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, http::HeaderValue, response::Response, routing::any};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use doors::{NoKey, SandboxKey};
pub use objects::NEWEST;
pub use outbox::{api_versions::is_version, queue::RETRIES};
pub use seed::{PortalSettings, SeedOffer};

use clock::Clock;
use shared::SharedSandbox;
use state::SandboxState;
use store::endpoint::Endpoint;

/// The largest request that is read, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// How long whoever is still being answered is waited for when it ends.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The header that every answer has.
const HEADER: &str = "counterfoil-sandbox";

/// How a sandbox is started.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub webhook: Option<Webhook>,
    /// Shared with a ledger, it moves both.
    pub clock: Clock,
    /// What signatures are dated by: the clock of those who check them, which need not be the sandbox's.
    pub signing_clock: Clock,
}

/// Who is told what happens.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub url: String,
    /// `whsec_…`
    pub secret: String,
    /// The shape of events; `None` is the newest.
    pub api_version: Option<String>,
}

/// A sandbox that runs.
pub struct Sandbox {
    address: SocketAddr,
    shared: Arc<SharedSandbox>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Sandbox {
    /// Starts it. When this returns, requests are answered.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(options: SandboxOptions) -> io::Result<Self> {
        Self::start_behind(options, None).await
    }

    /// The same, for those alone who have its key.
    ///
    /// # Errors
    /// When the address cannot be listened on, or is not this machine's alone and there is no key.
    pub async fn start_behind(options: SandboxOptions, key: Option<SandboxKey>) -> io::Result<Self> {
        if key.is_none() {
            SandboxKey::of(None, options.listen)
                .map_err(|error| io::Error::new(io::ErrorKind::PermissionDenied, error))?;
        }
        if !options.listen.ip().to_canonical().is_loopback() {
            tracing::warn!(
                address = %options.listen,
                "THE SANDBOX LISTENS BEYOND THIS MACHINE: whoever has its key gets credits for test cards, and moves its clock"
            );
        }
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let state = SandboxState::new(format!("http://{address}"), options.clock.now().seconds());
        let shared = Arc::new(SharedSandbox::new(state, options.clock, options.signing_clock));
        let sandbox = Self { address, shared, tasks: TaskTracker::new(), stop: CancellationToken::new() };
        if let Some(webhook) = options.webhook {
            sandbox.deliver_to(webhook);
        }
        let router = router(Arc::clone(&sandbox.shared), key);
        let stopped = sandbox.stop.clone().cancelled_owned();
        sandbox.tasks.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
            if let Err(error) = served {
                tracing::error!(error = &error as &dyn std::error::Error, "the sandbox ended early");
            }
        });
        sandbox.tasks.spawn(sender::run(Arc::clone(&sandbox.shared), sandbox.stop.clone()));
        Ok(sandbox)
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of its API and of its pages.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From here on, everything that happens is told to `webhook` too.
    pub fn deliver_to(&self, webhook: Webhook) {
        self.shared.with(|state| {
            let endpoint = Endpoint {
                id: state.store.ids.make("we"),
                created: state.store.now,
                url: webhook.url,
                api_version: webhook.api_version,
                enabled_events: vec!["*".to_owned()],
                description: Some("Set when the sandbox was started".to_owned()),
                enabled: true,
                deleted: false,
                metadata: call::ObjectMetadata::new(),
                secret: webhook.secret,
                reveals: false,
            };
            state.store.endpoints.put(endpoint);
        });
    }

    /// Puts products and prices in, under ids of the caller's.
    pub fn offer(&self, offers: &[SeedOffer]) {
        self.shared.with(|state| offers.iter().for_each(|offer| seed::put(state, offer)));
    }

    /// Makes what the portal offers when nothing else is asked for. Returns its id.
    pub fn offer_portal(&self, portal: &PortalSettings) -> String {
        self.shared.with(|state| seed::put_portal(state, portal))
    }

    /// Ends it. What was not delivered is not, and a request that does not end is left.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(STOP_TIMEOUT, self.tasks.wait()).await.is_err() {
            tracing::warn!(seconds = STOP_TIMEOUT.as_secs(), "a request to the sandbox did not end in time");
        }
    }
}

fn router(shared: Arc<SharedSandbox>, key: Option<SandboxKey>) -> Router {
    Router::new()
        .route("/v1/{*path}", any(api::answer))
        .merge(control::routes())
        .merge(pages::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn(answers::in_one_form))
        .layer(axum::middleware::from_fn_with_state(Arc::new(key), doors::guard))
        .layer(axum::middleware::map_response(mark))
        .with_state(shared)
}

/// Says in every answer what it comes from.
async fn mark(mut response: Response) -> Response {
    response.headers_mut().insert(HEADER, HeaderValue::from_static("true"));
    response
}
