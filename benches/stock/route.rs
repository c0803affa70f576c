//! The least server that puts the framework behind HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use cqrs_es::AggregateError;
use postgres_es::PostgresCqrs;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::account::StockAccount;

#[derive(Debug, Deserialize)]
struct Deduction {
    amount: i64,
}

/// Serves until the task is aborted.
pub async fn serve(
    framework: Arc<PostgresCqrs<StockAccount>>,
) -> std::io::Result<(SocketAddr, JoinHandle<std::io::Result<()>>)> {
    let router = Router::new().route("/v1/accounts/{account}/deductions", post(deduct)).with_state(framework);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((address, tokio::spawn(async move { axum::serve(listener, router).await })))
}

async fn deduct(
    State(framework): State<Arc<PostgresCqrs<StockAccount>>>,
    Path(account): Path<String>,
    Json(Deduction { amount }): Json<Deduction>,
) -> (StatusCode, Json<Value>) {
    match super::deduct(&framework, &account).await {
        Ok(()) => (StatusCode::CREATED, Json(json!({ "account": account, "amount": amount }))),
        Err(AggregateError::UserError(refusal)) => {
            (StatusCode::PAYMENT_REQUIRED, Json(json!({ "detail": refusal.to_string() })))
        }
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "detail": fault.to_string() }))),
    }
}
