//! What can be asked about accounts? Here: what they are, exactly, from their own events.
//!
//! These answers are never behind what a command acknowledged, whichever instance is asked, and they are right by
//! the clock even if no job has run: what is due because time passed is taken into account.

pub mod accounts;
pub mod all_subscriptions;
pub mod analytics;
pub mod balance;
pub mod catalog;
pub mod events;
pub mod history;
pub mod holdings;
pub mod money;
pub mod overview;
pub mod page;
pub mod plan;
pub mod statement;
pub mod subscriptions;
pub mod time;
pub mod usage;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, header},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::{
    domain::{ids::AccountId, recorded::Position},
    queries::{AccountNow, Freshness, QueryError, ReadRequest, account_now, freshness},
};

use super::{AppState, failure::Failure, position::Token, schema::Place};

pub const POSITION: HeaderName = HeaderName::from_static("counterfoil-position");
pub const LAG_MS: HeaderName = HeaderName::from_static("counterfoil-lag-ms");

/// What every read can be told.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SinceQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    pub min_position: Option<Token>,
}

/// The account as it is now.
///
/// # Errors
/// When the database does not answer, or `min_position` is none that the journal has reached.
pub async fn now(
    state: &AppState,
    id: &AccountId,
    min_position: Option<Token>,
) -> Result<AccountNow, Failure> {
    let now = account_now(&state.ledger, id).await?;
    // A position that was answered is in the database, and so in the view. Any other was made up.
    if min_position.is_some_and(|wanted| wanted.position() > now.position) {
        return Err(QueryError::PositionUnknown.into());
    }
    Ok(now)
}

/// Waits until a read model has every event up to `min_position`.
///
/// # Errors
/// When it does not get there in time, there is no such position, or the database does not answer.
pub async fn wait(
    state: &AppState,
    projection: &str,
    account: Option<&AccountId>,
    min_position: Option<Token>,
) -> Result<Freshness, Failure> {
    let min_position = min_position.map(Token::position).unwrap_or_default();
    let asked = ReadRequest { projection, account, min_position };
    Ok(freshness(&state.ledger, &state.projector, asked, state.settings.position_wait).await?)
}

/// An answer that is up to date at a position.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn fresh(position: Position, document: &impl Serialize) -> Result<Response<Body>, Failure> {
    as_of(position, 0, document)
}

/// An answer as of a position, and how far that is behind the present.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn as_of(position: Position, lag_ms: u64, document: &impl Serialize) -> Result<Response<Body>, Failure> {
    let mut response = json(document)?;
    write_position(&mut response, position, lag_ms);
    Ok(response)
}

pub fn write_position(response: &mut Response<Body>, position: Position, lag_ms: u64) {
    let headers = response.headers_mut();
    if let Ok(token) = HeaderValue::try_from(Token::of(position).to_string()) {
        headers.insert(POSITION, token);
    }
    headers.insert(LAG_MS, HeaderValue::from(lag_ms));
}

/// # Errors
/// When it cannot be written as JSON.
pub fn json(document: &impl Serialize) -> Result<Response<Body>, Failure> {
    let mut response = Response::new(Body::from(serde_json::to_vec(document).map_err(Failure::fault)?));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
