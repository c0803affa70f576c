//! How long do an account's credits last?

use axum::{body::Body, extract::State, http::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        ids::AccountId,
        runway::{RUNWAY_DAYS, Runway},
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, ReadingModel},
        request::{AccountOf, Query, Reads},
        response::as_of,
        schema::{Count, Id, Place, Time},
        since::SinceQuery,
    },
    projections::mrr::Proportion,
    queries::runway::{RunwayReport, account_runway},
};

use super::definition::{FigureDefinition, FigureKind};

/// Decimals of a mean, and of a number of days.
const DECIMALS: u32 = 2;

const DEFINITIONS: [FigureDefinition; 3] = [
    FigureDefinition {
        figure: "days",
        kind: FigureKind::Balance,
        definition: "For how many days the credits that can be spent now last, if they are used as in the last 7 days.",
        formula: "available ÷ mean_daily_use",
    },
    FigureDefinition {
        figure: "empty_at",
        kind: FigureKind::Balance,
        definition: "When nothing is left to spend at that use, in the spending order, since credits that end before \
                     their turn are lost.",
        formula: "the time at which the last grant is used up or ends",
    },
    FigureDefinition {
        figure: "ending, ending_unused",
        kind: FigureKind::Balance,
        definition: "How many of these credits end within 30 days, and how many of them will not be used by then.",
        formula: "the sum of what is left of grants that end, and of what will be left at their ends",
    },
];

/// How long an account's credits last.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunwayResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// What the figures mean.
    definitions: [FigureDefinition; 3],
    /// What a deduction may use now.
    #[schema(value_type = Count)]
    available: Credits,
    /// What was used in the last 7 days, less what was refunded.
    #[schema(value_type = Count)]
    used: Credits,
    /// `used` ÷ 7, with decimals.
    mean_daily_use: String,
    /// `available` ÷ `mean_daily_use`, with decimals; `null` if nothing was used.
    days: Option<String>,
    /// `null`: something is always left.
    #[schema(value_type = Option<Time>)]
    empty_at: Option<Timestamp>,
    /// When the plan gives the next credits; in the past if they are not paid yet. `null`: none follow.
    #[schema(value_type = Option<Time>)]
    next_credits_at: Option<Timestamp>,
    /// Whether nothing is left before the next credits come; `null` if none follow.
    empty_before_next_credits: Option<bool>,
    /// How many credits end within 30 days.
    #[schema(value_type = Count)]
    ending: Credits,
    /// How many of them will not be used by then.
    #[schema(value_type = Count)]
    ending_unused: Credits,
    /// The figures that are `null` because there is nothing to divide by.
    not_applicable: &'static [&'static str],
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// See how long credits last
///
/// At the mean use of the last 7 days, to the quarter of an hour.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/runway", operation_id = "get_runway", tag = "Reports",
    params(("account" = Id, Path), SinceQuery),
    responses(
        (status = 200, description = "How long they last.", body = RunwayResponse),
        Problems<(ReadingModel, AccountNotFound)>,
    )
)]
pub async fn runway(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(since): Query<SinceQuery>,
) -> Result<Response<Body>, Failure> {
    let min_position = since.min_position.map(Token::positions);
    let report = account_runway(state.reports(), &of.account, min_position.as_ref()).await?;
    let RunwayReport { available, used, runway, next_credits_at, freshness: standing } = report;
    let Runway { empty_at, ending, ending_unused } = runway;
    let mean = Proportion { part: used.get(), whole: RUNWAY_DAYS };
    let days = Proportion { part: available.get().saturating_mul(RUNWAY_DAYS), whole: used.get() };
    let days = days.decimal(DECIMALS);
    let document = RunwayResponse {
        account: &of.account,
        definitions: DEFINITIONS,
        available,
        used,
        mean_daily_use: mean.decimal(DECIMALS).unwrap_or_default(),
        not_applicable: if days.is_none() { &["days"] } else { &[] },
        days,
        empty_at,
        next_credits_at,
        empty_before_next_credits: next_credits_at.map(|next| empty_at.is_some_and(|empty| empty < next)),
        ending,
        ending_unused,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
