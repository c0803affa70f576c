//! Is the server alive, is it ready, and how is it doing?

use std::{
    future::Future,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::{
    AppState,
    failure::Failure,
    request::{All, Watches},
    response::json,
};
use crate::stripe::inbound::alerts;

/// How long the database may take to answer before the server is not ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long commands may wait without any of them being answered before the server is not ready.
const STUCK_MAX: Duration = Duration::from_secs(3);
/// How old what is answered may be.
const LOOK_EACH: Duration = Duration::from_secs(1);

const READY: &str = "ready";

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthResponse {
    /// `ok`
    #[schema(value_type = String)]
    status: &'static str,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ReadinessResponse {
    /// `ready` or `not_ready`
    #[schema(value_type = String)]
    status: &'static str,
    /// Whether the database answers, and takes what is written to it.
    database: bool,
    /// How many commands wait to be decided.
    commands_queued: usize,
    /// For how many seconds commands have been waiting of which none was answered. From 3 on the server is not ready.
    commands_stuck_s: u64,
    /// By how many seconds the clock of this machine is before what is recorded: 0, or more than 10. While it is
    /// behind, what would be refused for want of credits, a feature or a limit is answered with `clock_behind`; all
    /// else works.
    clock_behind_s: i64,
}

/// Is the process alive?
#[utoipa::path(
    get, path = "/healthz", operation_id = "health", tag = "Server", security(()),
    responses((status = 200, description = "It is.", body = HealthResponse))
)]
pub async fn healthz() -> Result<Response<Body>, Failure> {
    json(&HealthResponse { status: "ok" })
}

/// Can it serve requests?
///
/// Looked at once a second at most.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readiness", tag = "Server", security(()),
    responses(
        (status = 200, description = "It can.", body = ReadinessResponse),
        (status = 503, description = "It cannot: the database does not answer or takes nothing, or commands wait and none is answered.", body = ReadinessResponse),
    )
)]
pub async fn readyz(State(state): State<AppState>) -> Result<Response<Body>, Failure> {
    let readiness = state.readiness.sample(look(&state)).await;
    let mut response = json(&readiness)?;
    if readiness.status != READY {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

async fn look(state: &AppState) -> ReadinessResponse {
    let asked = async {
        let behind_s = state.ledger.clock_behind_s().await?;
        Ok::<_, sqlx::Error>((state.ledger.can_store().await?, behind_s.unwrap_or(0)))
    };
    let (database, clock_behind_s) = match tokio::time::timeout(READY_TIMEOUT, asked).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => (false, 0),
    };
    let stuck = state.ledger.stuck_for();
    let status = if database && stuck < STUCK_MAX { READY } else { "not_ready" };
    let (commands_queued, commands_stuck_s) = (state.ledger.queued(), stuck.as_secs());
    ReadinessResponse { status, database, commands_queued, commands_stuck_s, clock_behind_s }
}

/// Metrics for Prometheus
///
/// With a key, or without one at the listener that `COUNTERFOIL_METRICS_LISTEN` names. Measured at most once a second.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "Server",
    responses((status = 200, description = "Prometheus' text format.", body = String, content_type = "text/plain"))
)]
pub async fn metrics(_: All<Watches>, State(state): State<AppState>) -> Response<Body> {
    measured(&state).await
}

/// The same, where the listener is all the protection.
pub async fn open_metrics(State(state): State<AppState>) -> Response<Body> {
    measured(&state).await
}

async fn measured(state: &AppState) -> Response<Body> {
    let mut response = Response::new(Body::from(state.scraped.sample(measure(state)).await));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn measure(state: &AppState) -> Bytes {
    metrics::gauge!("counterfoil_commands_queued")
        .set(f64::from(u32::try_from(state.ledger.queued()).unwrap_or(u32::MAX)));
    let asked = async {
        let behind_s = state.ledger.clock_behind_s().await.ok()?;
        let behind_s = u32::try_from(behind_s.unwrap_or(0)).unwrap_or(u32::MAX);
        metrics::gauge!("counterfoil_clock_behind_seconds").set(f64::from(behind_s));
        alerts::measure(&state.inbox).await.ok()
    };
    // Without an answer in time, the counts stay as they were.
    if !matches!(tokio::time::timeout(READY_TIMEOUT, asked).await, Ok(Some(()))) {
        tracing::debug!("the inbox could not be counted");
    }
    let text = state.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render);
    text.unwrap_or_default().into()
}

/// What was found last: whoever asks often is told the same, and those who ask at once wait for one answer.
#[derive(Debug)]
pub struct Sampled<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Sampled<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Sampled<T> {
    async fn sample(&self, look: impl Future<Output = T>) -> T {
        let mut last = self.0.lock().await;
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| at.elapsed() < LOOK_EACH) {
            return found.clone();
        }
        let found = look.await;
        *last = Some((Instant::now(), found.clone()));
        found
    }
}
