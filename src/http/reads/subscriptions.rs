//! Which subscriptions does an account have, and what may be done to each?

use axum::{body::Body, extract::State, http::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        ids::AccountId,
        subscription_change::{self, SubscriptionAction},
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, Reading},
        request::{AccountOf, Query, Reads},
        schema::{Id, Place},
    },
};

use super::{SinceQuery, fresh, now, plan::SubscriptionResponse};

#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionsResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// The one with the newest report comes first.
    subscriptions: Vec<ListedSubscriptionResponse<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ListedSubscriptionResponse<'a> {
    subscription: SubscriptionResponse<'a>,
    /// What can be done now: `change`, `cancel`, `withdraw_cancellation`, `pause`, `resume`
    #[schema(value_type = Vec<String>)]
    allowed: Vec<SubscriptionAction>,
}

/// List the subscriptions
///
/// Including those that have ended.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/subscriptions", operation_id = "list_subscriptions", tag = "Accounts",
    params(("account" = Id, Path), SinceQuery),
    responses(
        (status = 200, description = "All subscriptions that were ever reported.", body = SubscriptionsResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn list(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(since): Query<SinceQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, since.min_position).await?;
    let opened = now.opened()?;
    let mut known: Vec<_> = opened.subscriptions.known().values().collect();
    known.sort_by(|one, other| other.evidence.cmp(&one.evidence));
    let billing = state.billing.state_of(&of.account);
    let listed = known.into_iter().map(|terms| {
        let allowed = subscription_change::allowed_to(&now.account, billing, terms);
        ListedSubscriptionResponse {
            subscription: SubscriptionResponse::at(terms, now.at, &opened.discounts),
            allowed,
        }
    });
    let document = SubscriptionsResponse {
        account: &of.account,
        subscriptions: listed.collect(),
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}
