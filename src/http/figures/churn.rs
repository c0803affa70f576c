//! How much revenue was lost, why, and how much is at risk?

use axum::{body::Body, extract::State, http::Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{amount::Currency, time::Timestamp},
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::ReadingModel,
        reads::{
            interval::IntervalQuery,
            time::{day, days},
        },
        request::{All, Bills, Query},
        response::as_of,
        schema::{Day, Place, Time},
    },
    projections::mrr::{
        Figures, RevenueAtRisk,
        churn::{ChurnCause, ChurnClass},
        movements::MovementKind,
    },
    queries::revenue::{
        RevenueSpan,
        churn::{ChurnReport, ChurnedPart, RevenueChurn, churn as lost},
    },
};

use super::{
    churn_definitions::DEFINITIONS,
    definition::FigureDefinition,
    revenue::{MrrChange, SHARE_DECIMALS, accounts_on, before, movements_of},
};

pub(super) const CHURN_ROWS: &str = "/v1/analytics/churn/rows";
pub(super) const AT_RISK: &str = "/v1/analytics/churn/at-risk";
/// Events have no words of whoever left.
const NO_REASON: &str = "unknown";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChurnQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    from: NaiveDate,
    /// The last day, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    #[serde(default)]
    interval: IntervalQuery,
    /// Only in this currency.
    #[param(value_type = Option<String>, example = "usd")]
    currency: Option<Currency>,
}

/// What was lost, in minor units, by currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChurnResponse<'a> {
    /// What the figures mean.
    definitions: [FigureDefinition; 8],
    series: Vec<ChurnFigures<'a>>,
    /// Now, by all that is known. Currencies in which nothing is at risk are left out.
    at_risk: Vec<AtRiskFigures<'a>>,
    /// When an event was last recorded that changed one of the days, or an earlier one, after these days had begun and
    /// that one was over; `null` if none did.
    #[schema(value_type = Option<Time>)]
    restated_since: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// One interval, in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChurnFigures<'a> {
    currency: &'a str,
    /// The first day.
    #[schema(value_type = Day)]
    start: NaiveDate,
    mrr_at_start: i64,
    accounts_at_start: i64,
    /// Accounts that paid at the start and stopped, even if they pay again.
    accounts_churned: i64,
    /// `accounts_churned` ÷ `accounts_at_start`; `null` if that was 0.
    logo_churn: Option<String>,
    churn: MrrChange,
    contraction: MrrChange,
    expansion: MrrChange,
    reactivation: MrrChange,
    /// Lost revenue ÷ `mrr_at_start`; `null` if that was 0.
    gross_revenue_churn: Option<String>,
    /// The same, less `expansion`. Negative if more was added than lost.
    net_revenue_churn: Option<String>,
    /// The same, less `reactivation`, too.
    net_revenue_churn_with_reactivation: Option<String>,
    /// By whoever asked for it.
    voluntary: ChurnPart,
    /// For want of payment.
    involuntary: ChurnPart,
    /// Paused, moved to another account, or no longer charged.
    other: ChurnPart,
    rows: ChurnRows,
}

/// What was lost for reasons of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChurnPart {
    /// Of the accounts that paid at the start, those that first stopped so.
    accounts: i64,
    /// `accounts` ÷ `accounts_at_start`; `null` if that was 0.
    logo_churn: Option<String>,
    /// The MRR of all accounts that stopped so; negative.
    amount: i64,
    count: i64,
    causes: Vec<ChurnCauseFigures>,
    rows: ChurnPartRows,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ChurnCauseFigures {
    /// `cancelled`, `unpaid`, `paused`, `moved` or `uncharged`.
    cause: &'static str,
    /// What whoever left said about it. `unknown`: no event says it.
    reason: &'static str,
    amount: i64,
    count: i64,
    accounts: i64,
}

/// Where the accounts are, and the movements, that make up the figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChurnPartRows {
    accounts: String,
    amount: String,
}

/// Where the accounts are that make up a figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChurnRows {
    mrr_at_start: String,
    accounts_at_start: String,
    accounts_churned: String,
}

/// What accounts pay that may stop soon.
#[derive(Debug, Serialize, ToSchema)]
pub struct AtRiskFigures<'a> {
    currency: &'a str,
    past_due: AtRiskPart,
    /// The subscription is cancelled, and runs until its end.
    set_to_end: AtRiskPart,
    /// Either or both, each once.
    all: AtRiskPart,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AtRiskPart {
    mrr: i64,
    accounts: i64,
    /// Where the subscriptions are.
    rows: String,
}

impl<'a> From<&'a RevenueChurn> for ChurnFigures<'a> {
    fn from(churn: &'a RevenueChurn) -> Self {
        let figures = &churn.figures;
        let Figures { currency, start, end, .. } = figures;
        let days = (*start, *end);
        let at_start = accounts_on(before(*start), currency);
        let part = |class| ChurnPart::of(churn, class);
        Self {
            currency,
            start: *start,
            mrr_at_start: figures.mrr_at_start,
            accounts_at_start: figures.accounts_at_start,
            accounts_churned: churn.accounts(),
            logo_churn: churn.logo_churn().decimal(SHARE_DECIMALS),
            churn: MrrChange::of(MovementKind::Churn, figures.churn, days, currency),
            contraction: MrrChange::of(MovementKind::Contraction, figures.contraction, days, currency),
            expansion: MrrChange::of(MovementKind::Expansion, figures.expansion, days, currency),
            reactivation: MrrChange::of(MovementKind::Reactivation, figures.reactivation, days, currency),
            gross_revenue_churn: figures.gross_revenue_churn().decimal(SHARE_DECIMALS),
            net_revenue_churn: churn.net_revenue_churn().decimal(SHARE_DECIMALS),
            net_revenue_churn_with_reactivation: churn
                .net_revenue_churn_with_reactivation()
                .decimal(SHARE_DECIMALS),
            voluntary: part(ChurnClass::Voluntary),
            involuntary: part(ChurnClass::Involuntary),
            other: part(ChurnClass::Other),
            rows: ChurnRows {
                mrr_at_start: at_start.clone(),
                accounts_at_start: at_start,
                accounts_churned: churned_in(days, currency),
            },
        }
    }
}

fn churned_in((start, end): (NaiveDate, NaiveDate), currency: &str) -> String {
    format!("{CHURN_ROWS}?from={start}&to={end}&currency={currency}")
}

impl ChurnPart {
    fn of(churn: &RevenueChurn, class: ChurnClass) -> Self {
        let Figures { currency, start, end, .. } = &churn.figures;
        let ChurnedPart { movements, accounts } = churn.of_class(class);
        let own = churn.causes.iter().filter(|(cause, _)| cause.class() == class);
        let cause = |(cause, part): (&ChurnCause, &ChurnedPart)| ChurnCauseFigures {
            cause: cause.name(),
            reason: NO_REASON,
            amount: part.movements.amount,
            count: part.movements.count,
            accounts: part.accounts,
        };
        let days = (*start, *end);
        Self {
            accounts,
            logo_churn: churn.of_accounts(accounts).decimal(SHARE_DECIMALS),
            amount: movements.amount,
            count: movements.count,
            causes: own.map(cause).collect(),
            rows: ChurnPartRows {
                accounts: format!("{}&churn={}", churned_in(days, currency), class.name()),
                amount: format!(
                    "{}&churn={}",
                    movements_of(MovementKind::Churn, days, currency),
                    class.name()
                ),
            },
        }
    }
}

impl<'a> From<&'a RevenueAtRisk> for AtRiskFigures<'a> {
    fn from(risk: &'a RevenueAtRisk) -> Self {
        let part = |mrr, accounts, filter: &str| AtRiskPart {
            mrr,
            accounts,
            rows: format!("{AT_RISK}?currency={}{filter}", risk.currency),
        };
        Self {
            currency: &risk.currency,
            past_due: part(risk.mrr_past_due, risk.accounts_past_due, "&past_due=true"),
            set_to_end: part(risk.mrr_set_to_end, risk.accounts_set_to_end, "&set_to_end=true"),
            all: part(risk.mrr, risk.accounts, ""),
        }
    }
}

/// See how much revenue was lost, and why
///
/// Voluntary, if somebody asked for it; involuntary, for want of payment; with what is at risk now.
#[utoipa::path(
    get, path = "/v1/analytics/churn", operation_id = "analyse_churn", tag = "Reports", params(ChurnQuery),
    responses(
        (status = 200, description = "Figures for each interval and currency.", body = ChurnResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn churn(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<ChurnQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let (span, min_position) = (RevenueSpan { from, until }, asked.min_position.map(Token::positions));
    let shown = (asked.interval.into(), asked.currency.as_ref());
    let report = lost(state.reports(), span, shown, min_position.as_ref()).await?;
    let ChurnReport { intervals, at_risk, restated_since, freshness: standing } = report;
    let document = ChurnResponse {
        definitions: DEFINITIONS,
        series: intervals.iter().map(ChurnFigures::from).collect(),
        at_risk: at_risk.iter().map(AtRiskFigures::from).collect(),
        restated_since,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
