//! What does an account hold?

use axum::{body::Body, extract::State, http::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{amount::Credits, credits::Balance, ids::AccountId, time::Timestamp},
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, Reading},
        request::{AccountOf, Query, Reads},
        schema::{Count, Id, Place, Time},
    },
};

use super::{SinceQuery, fresh, now};

/// What an account holds now.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// What a deduction may use.
    #[schema(value_type = Count)]
    available: Credits,
    /// What open holds reserve.
    #[schema(value_type = Count)]
    held: Credits,
    /// What cannot be spent while a payment is disputed. It is not a part of the other figures.
    #[schema(value_type = Count)]
    frozen: Credits,
    /// `available + held − debt`.
    settled: i64,
    /// What is owed because credits were taken back after they had been spent.
    #[schema(value_type = Count)]
    debt: Credits,
    /// What the plan has given for the running month or trial, less what was taken back.
    /// Rollover from the month before and bought credits are not a part of it.
    #[schema(value_type = Count)]
    allocated: Credits,
    /// How much of `allocated` was spent. Held credits do not count.
    #[schema(value_type = Count)]
    used: Credits,
    /// When the plan gives the next credits; in the past if they are not paid yet. `null`: none follow.
    #[schema(value_type = Option<Time>)]
    next_credits_at: Option<Timestamp>,
    /// With how many decimals credits are shown. Amounts are always whole numbers.
    scale: u8,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// See a balance
///
/// Exact, whichever instance is asked.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/balance", operation_id = "get_balance", tag = "Accounts",
    params(("account" = Id, Path), SinceQuery),
    responses(
        (status = 200, description = "The balance.", body = BalanceResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn balance(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(since): Query<SinceQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, since.min_position).await?;
    let (opened, catalog) = (now.opened()?, state.ledger.catalog());
    let Balance { available, held, settled, debt } = opened.wallet.balance(now.at);
    let allocated = opened.allocated(now.at);
    let document = BalanceResponse {
        account: &of.account,
        available,
        held,
        frozen: opened.wallet.frozen(now.at),
        settled,
        debt,
        allocated: allocated.amount,
        used: allocated.used,
        next_credits_at: now.next_credits_at(catalog),
        scale: catalog.scale,
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}
