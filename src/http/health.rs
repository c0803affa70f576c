//! Is the server alive, is it ready, and how is it doing?

use std::time::Duration;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppState, failure::Failure, reads::json};
use crate::stripe::watch;

/// How long the database may take to answer before the server is not ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    #[schema(value_type = String)]
    status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready` or `not_ready`
    #[schema(value_type = String)]
    status: &'static str,
    /// Whether the database answers.
    database: bool,
    /// How many commands wait to be decided.
    commands_queued: usize,
}

/// Is the process alive?
#[utoipa::path(
    get, path = "/healthz", operation_id = "health", tag = "Server", security(()),
    responses((status = 200, description = "It is.", body = Health))
)]
pub async fn healthz() -> Result<Response<Body>, Failure> {
    json(&Health { status: "ok" })
}

/// Can it serve requests?
#[utoipa::path(
    get, path = "/readyz", operation_id = "readiness", tag = "Server", security(()),
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (status = 503, description = "It cannot: the database does not answer.", body = Readiness),
    )
)]
pub async fn readyz(State(state): State<AppState>) -> Result<Response<Body>, Failure> {
    let asked = sqlx::query("select 1").execute(&state.pool);
    let database = matches!(tokio::time::timeout(READY_TIMEOUT, asked).await, Ok(Ok(_)));
    let readiness = Readiness {
        status: if database { "ready" } else { "not_ready" },
        database,
        commands_queued: state.ledger.queued(),
    };
    let mut response = json(&readiness)?;
    if !database {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

/// Metrics for Prometheus
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "Server", security(()),
    responses((status = 200, description = "Prometheus' text format.", body = String, content_type = "text/plain"))
)]
pub async fn metrics(State(state): State<AppState>) -> Response<Body> {
    metrics::gauge!("counterfoil_commands_queued")
        .set(f64::from(u32::try_from(state.ledger.queued()).unwrap_or(u32::MAX)));
    // Without an answer in time, the counts stay as they were.
    let measured = tokio::time::timeout(READY_TIMEOUT, watch::measure(&state.inbox)).await;
    if !matches!(measured, Ok(Ok(()))) {
        tracing::debug!("the inbox could not be counted");
    }
    let text = state.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render);
    let mut response = Response::new(Body::from(text.unwrap_or_default()));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
