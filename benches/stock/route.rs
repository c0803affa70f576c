//! What is the simplest HTTP server for the framework?

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

use super::WithBalances;
use super::account::{StockAccount, StockRefusal};

#[derive(Debug, Deserialize)]
struct Deduction {
    amount: i64,
}

const PATH: &str = "/v1/accounts/{account}/deductions";

/// Answers that the command was done.
pub fn done(framework: Arc<PostgresCqrs<StockAccount>>) -> Router {
    Router::new().route(PATH, post(deduct)).with_state(framework)
}

/// Answers that the command was done, and what is left.
pub fn done_and_left(framework: WithBalances) -> Router {
    Router::new().route(PATH, post(deduct_and_look)).with_state(framework)
}

/// Serves until the task is aborted.
pub async fn serve(router: Router) -> std::io::Result<(SocketAddr, JoinHandle<std::io::Result<()>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((address, tokio::spawn(async move { axum::serve(listener, router).await })))
}

async fn deduct(
    State(framework): State<Arc<PostgresCqrs<StockAccount>>>,
    Path(account): Path<String>,
    Json(Deduction { amount }): Json<Deduction>,
) -> (StatusCode, Json<Value>) {
    let done = super::deduct(&framework, &account).await;
    done.map_or_else(failure, |()| {
        (StatusCode::CREATED, Json(json!({ "account": account, "amount": amount })))
    })
}

async fn deduct_and_look(
    State(WithBalances { framework, balances }): State<WithBalances>,
    Path(account): Path<String>,
    Json(Deduction { amount }): Json<Deduction>,
) -> (StatusCode, Json<Value>) {
    if let Err(error) = super::deduct(&framework, &account).await {
        return failure(error);
    }
    match balances.load(&account).await {
        Some(balance) => {
            let answer = json!({ "account": account, "amount": amount, "available": balance.available });
            (StatusCode::CREATED, Json(answer))
        }
        None => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "detail": "the balance is not there" }))),
    }
}

fn failure(error: AggregateError<StockRefusal>) -> (StatusCode, Json<Value>) {
    let status = match error {
        AggregateError::UserError(_) => StatusCode::PAYMENT_REQUIRED,
        AggregateError::AggregateConflict
        | AggregateError::DatabaseConnectionError(_)
        | AggregateError::DeserializationError(_)
        | AggregateError::UnexpectedError(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(json!({ "detail": error.to_string() })))
}
