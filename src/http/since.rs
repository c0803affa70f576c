//! How new must an answer be? At least as new as the position that the caller has seen.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    domain::ids::AccountId,
    queries::{AccountNow, Freshness, account_now, require_known},
};

use super::{AppState, failure::Failure, position::Token, schema::Place};

/// The parameters of every read.
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
/// If the database does not answer, or the journal has not reached `min_position`.
pub async fn now(
    state: &AppState,
    id: &AccountId,
    min_position: Option<Token>,
) -> Result<AccountNow, Failure> {
    // Before the account is read, which then has everything up to there.
    require_known(&state.ledger, min_position.map(Token::positions).as_ref()).await?;
    Ok(account_now(&state.ledger, id).await?)
}

/// Waits until a read model has every event up to `min_position`.
///
/// # Errors
/// If it does not get there in time, there is no such position, or the database does not answer.
pub async fn wait(
    state: &AppState,
    projection: &str,
    account: Option<&AccountId>,
    min_position: Option<Token>,
) -> Result<Freshness, Failure> {
    Ok(state.reports().wait(projection, account, min_position.map(Token::positions).as_ref()).await?)
}
