//! Is the server alive, is it ready, and how is it doing?

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AppState,
    failure::Failure,
    readiness::{self, ReadinessResponse},
    request::{All, Watches},
    response::json,
};
use crate::stripe::inbound::alerts;

/// How long the count of the inbox for metrics may take.
const COUNT_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthResponse {
    /// `ok`
    #[schema(value_type = String)]
    status: &'static str,
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
/// Checked at most once a second.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readiness", tag = "Server", security(()),
    responses(
        (status = 200, description = "It can.", body = ReadinessResponse),
        (status = 503, description = "It cannot: the database does not answer or accepts no writes, or commands wait and none is answered.", body = ReadinessResponse),
    )
)]
pub async fn readyz(State(state): State<AppState>) -> Result<Response<Body>, Failure> {
    let readiness = state.readiness.sample(readiness::look(&state.ledger)).await;
    let mut response = json(&readiness)?;
    if !readiness.is_ready() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
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

/// The same for the metrics listener, which needs no key because only the operator can reach it.
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
    // Without an answer in time, the gauges keep their last values.
    if !matches!(tokio::time::timeout(COUNT_TIMEOUT, asked).await, Ok(Some(()))) {
        tracing::debug!("the inbox could not be counted");
    }
    let text = state.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render);
    text.unwrap_or_default().into()
}
