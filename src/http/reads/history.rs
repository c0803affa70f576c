//! How did an account's subscriptions change?

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        catalog::Interval,
        ids::{AccountId, PlanId, ProviderId},
        recorded::{JournalPosition, Position, Shard},
        requested::Requested,
        subscription_change::CancelAt,
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, ReadingModel},
        request::{AccountOf, Query, Reads},
        schema::{Id, Place, Time},
    },
    projections::subscriptions::{self, HistoryEntry, HistoryRequest},
};

use super::{as_of, plan::SubscriptionResponse, wait};

const MODEL: &str = "subscriptions";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// Only this subscription.
    #[param(value_type = Option<Id>)]
    subscription: Option<ProviderId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionHistoryResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// By subscription, each from its beginning.
    changes: Vec<SubscriptionChangeResponse<'a>>,
    /// What was requested over this API and done at Stripe, the oldest first. The results are among the `changes`.
    requests: Vec<SubscriptionActionResponse<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A report on a subscription, with the report before it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionChangeResponse<'a> {
    #[schema(value_type = Place)]
    position: Token,
    /// The number of the event in the account's stream.
    sequence: i64,
    /// Such as `PlanChanged`.
    r#type: &'a str,
    #[schema(value_type = Time)]
    effective_at: Timestamp,
    #[schema(value_type = Time)]
    recorded_at: Timestamp,
    /// Whether a newer report was recorded before this one.
    late: bool,
    #[schema(value_type = Option<Id>)]
    stripe_event: Option<&'a str>,
    /// Who caused it: the id of an API key; `clock`: this server itself; `stripe`: a person on a page or dashboard of
    /// Stripe's, or Stripe itself.
    #[schema(value_type = Id)]
    actor: &'a str,
    /// `null`: it is the first one.
    before: Option<SubscriptionResponse<'a>>,
    after: SubscriptionResponse<'a>,
}

impl<'a> SubscriptionChangeResponse<'a> {
    fn of(HistoryEntry { report, before }: &'a HistoryEntry, shard: Shard) -> Self {
        Self {
            position: Token::of(JournalPosition::new(shard, Position(report.position))),
            sequence: report.sequence,
            r#type: &report.event,
            effective_at: report.effective_at.into(),
            recorded_at: report.recorded_at.into(),
            late: report.late,
            stripe_event: report.stripe_event.as_deref(),
            actor: &report.actor,
            before: before.as_ref().map(SubscriptionResponse::from),
            after: SubscriptionResponse::from(&*report.terms),
        }
    }
}

/// An action that was requested for a subscription.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionActionResponse<'a> {
    #[schema(value_type = Place)]
    position: Token,
    /// The number of the event in the account's stream.
    sequence: i64,
    #[schema(value_type = Id)]
    subscription: &'a str,
    /// `begin`, `change`, `withdraw_change`, `cancel`, `withdraw_cancellation`, `pause` or `resume`
    step: &'static str,
    /// For `change` and `begin`. `null`: the catalog did not have the price.
    #[schema(value_type = Option<Id>)]
    plan: Option<&'a PlanId>,
    /// For `change`: `month` or `year`.
    #[schema(value_type = Option<String>)]
    interval: Option<Interval>,
    quantity: Option<u32>,
    /// For `cancel`: `now` or `period_end`.
    #[schema(value_type = Option<String>)]
    at: Option<CancelAt>,
    /// Who requested it: the id of an API key.
    #[schema(value_type = Id)]
    actor: &'a str,
    #[schema(value_type = Time)]
    requested_at: Timestamp,
    #[schema(value_type = Time)]
    recorded_at: Timestamp,
}

impl<'a> SubscriptionActionResponse<'a> {
    fn of(asked: &'a HistoryRequest, shard: Shard) -> Self {
        let bare = |step| Self {
            position: Token::of(JournalPosition::new(shard, Position(asked.position))),
            sequence: asked.sequence,
            subscription: &asked.subscription,
            step,
            plan: None,
            interval: None,
            quantity: None,
            at: None,
            actor: &asked.actor,
            requested_at: asked.requested_at.into(),
            recorded_at: asked.recorded_at.into(),
        };
        match &asked.requested.0 {
            Requested::Begin { plan, quantity } => {
                Self { plan: Some(plan), quantity: Some(*quantity), ..bare("begin") }
            }
            Requested::Change { plan, interval, quantity } => {
                Self { plan: plan.as_ref(), interval: *interval, quantity: Some(*quantity), ..bare("change") }
            }
            Requested::WithdrawChange => bare("withdraw_change"),
            Requested::Cancel { at } => Self { at: Some(*at), ..bare("cancel") },
            Requested::WithdrawCancellation => bare("withdraw_cancellation"),
            Requested::Pause => bare("pause"),
            Requested::Resume => bare("resume"),
        }
    }
}

/// See how subscriptions changed
///
/// In the order in which things happened at Stripe, in whatever order its events arrived, with who caused each, and
/// with what was requested over this API.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/subscription/history", operation_id = "get_subscription_history",
    tag = "Accounts", params(("account" = Id, Path), HistoryQuery),
    responses(
        (status = 200, description = "Every report on a subscription.", body = SubscriptionHistoryResponse),
        Problems<(ReadingModel, AccountNotFound)>,
    )
)]
pub async fn history(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<HistoryQuery>,
) -> Result<Response<Body>, Failure> {
    let standing = wait(&state, MODEL, Some(&of.account), asked.min_position).await?;
    let subscription = asked.subscription.as_ref();
    let shard = state.ledger.shard_of(&of.account);
    let changes = subscriptions::history(&state.pool, shard, &of.account, subscription).await?;
    let requests = subscriptions::requests(&state.pool, shard, &of.account, subscription).await?;
    if changes.is_empty() {
        state.reports().require_account(&of.account).await?;
    }
    let document = SubscriptionHistoryResponse {
        account: &of.account,
        changes: changes.iter().map(|change| SubscriptionChangeResponse::of(change, shard)).collect(),
        requests: requests.iter().map(|request| SubscriptionActionResponse::of(request, shard)).collect(),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
