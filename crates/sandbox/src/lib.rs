//! What if there were no Stripe?
//! A stand-in for Stripe that keeps state, so that everything can be tried without an account and without a network.
//!
//! It knows nothing of the ledger, and the ledger knows only its address.
//! `/v1` answers as Stripe's API, `/checkout` and `/portal` are pages for people, webhooks are signed and sent, and
//! `/_sandbox` moves the clock and causes failures.
//! All state is lost when it stops.
//! Every page and every answer says that it comes from a sandbox, and live keys are refused.

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

use billing::passing;
use clock::Clock;
use shared::SharedSandbox;
use state::SandboxState;
use store::endpoint::Endpoint;

/// The largest request body, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// How long `stop` waits for requests that are still being answered.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The header that marks every answer as the sandbox's.
const HEADER: &str = "counterfoil-sandbox";

/// How a sandbox is started.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Port 0 takes a free port.
    pub listen: SocketAddr,
    pub webhook: Option<Webhook>,
    /// If it is shared with a ledger, the sandbox moves the time of both.
    pub clock: Clock,
    /// The clock that dates signatures: that of the receiver, which may differ from the sandbox's.
    pub signing_clock: Clock,
}

/// Where events are delivered.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub url: String,
    /// `whsec_…`
    pub secret: String,
    /// The API version in which events are written; `None` is the newest.
    pub api_version: Option<String>,
}

/// A running sandbox.
pub struct Sandbox {
    address: SocketAddr,
    shared: Arc<SharedSandbox>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Sandbox {
    /// Starts the sandbox. Requests are answered as soon as this returns.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(options: SandboxOptions) -> io::Result<Self> {
        Self::start_behind(options, None).await
    }

    /// Starts the sandbox, and requires the key, if there is one, in every request.
    ///
    /// # Errors
    /// If the address cannot be listened on, or if it is reachable from other machines and there is no key.
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

    /// The base URL of the API and of the pages.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Delivers all events from now on to `webhook`, in addition to other endpoints.
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

    /// Adds products and prices, with ids that the caller chooses.
    pub fn offer(&self, offers: &[SeedOffer]) {
        self.shared.with(|state| offers.iter().for_each(|offer| seed::put(state, offer)));
    }

    /// Sets the default configuration of the portal, and returns its id.
    pub fn offer_portal(&self, portal: &PortalSettings) -> String {
        self.shared.with(|state| seed::put_portal(state, portal))
    }

    /// When something happens next by itself, such as a renewal or a retry, in Unix seconds.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.shared.look(|state| passing::next_due(state).map(|(at, _)| at))
    }

    /// How many webhooks are on their way.
    #[must_use]
    pub fn deliveries_waiting(&self) -> usize {
        self.shared.look(|state| state.outbox.queue.waiting())
    }

    /// Lets everything happen for which the time has come by the clock, without waiting for a request.
    pub fn catch_up(&self) {
        self.shared.with(|_| ());
        self.shared.wake.notify_one();
    }

    /// Stops the sandbox. Undelivered events are lost, and requests that do not end in time are abandoned.
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

/// Marks an answer as the sandbox's.
async fn mark(mut response: Response) -> Response {
    response.headers_mut().insert(HEADER, HeaderValue::from_static("true"));
    response
}
