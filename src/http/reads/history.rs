//! How did an account's subscriptions come to be what they are?

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        names::{AccountId, ProviderId},
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        position::Token,
        request::{AccountOf, Query, Reads},
        schema::{Id, Place, Time},
    },
    journal::recorded::Position,
    projections::subscriptions::{self, Change},
};

use super::{as_of, model::wait, plan::Subscription, statement::require_account};

const MODEL: &str = "subscriptions";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryAsked {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// Only this one's.
    #[param(value_type = Option<Id>)]
    subscription: Option<ProviderId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionHistory<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// Subscription by subscription, each from its beginning on.
    changes: Vec<SubscriptionChange<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A report on a subscription, beside the one that held before it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionChange<'a> {
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
    /// `null`: it is the first one.
    before: Option<Subscription<'a>>,
    after: Subscription<'a>,
}

impl<'a> From<&'a Change> for SubscriptionChange<'a> {
    fn from(Change { report, before }: &'a Change) -> Self {
        Self {
            position: Token::of(Position(report.position)),
            sequence: report.sequence,
            r#type: &report.event,
            effective_at: report.effective_at.into(),
            recorded_at: report.recorded_at.into(),
            late: report.late,
            stripe_event: report.stripe_event.as_deref(),
            before: before.as_ref().map(Subscription::from),
            after: Subscription::from(&*report.terms),
        }
    }
}

/// See how subscriptions changed
///
/// In the order in which things happened at Stripe, whatever order its events came in.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/subscription/history", operation_id = "get_subscription_history",
    tag = "Accounts", params(("account" = Id, Path), HistoryAsked),
    responses((status = 200, description = "Every report on a subscription.", body = SubscriptionHistory))
)]
pub async fn history(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<HistoryAsked>,
) -> Result<Response<Body>, Failure> {
    let standing = wait(&state, MODEL, Some(&of.account), asked.min_position).await?;
    let changes = subscriptions::history(&state.pool, &of.account, asked.subscription.as_ref()).await?;
    if changes.is_empty() {
        require_account(&state, &of.account).await?;
    }
    let document = SubscriptionHistory {
        account: &of.account,
        changes: changes.iter().map(SubscriptionChange::from).collect(),
        as_of_position: Token::of(standing.position),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
