//! Which subscriptions does an account have, and what may be done to each?

use axum::{body::Body, extract::State, http::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        amendment::{self, Step},
        names::AccountId,
    },
    http::{
        AppState,
        failure::Failure,
        position::Token,
        request::{AccountOf, Query, Reads},
        schema::{Id, Place},
    },
};

use super::{Since, fresh, now, plan::Subscription};

#[derive(Debug, Serialize, ToSchema)]
pub struct Subscriptions<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// The one that was reported on last comes first.
    subscriptions: Vec<ListedSubscription<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ListedSubscription<'a> {
    subscription: Subscription<'a>,
    /// What can be done now: `change`, `cancel`, `withdraw_cancellation`, `pause`, `resume`
    #[schema(value_type = Vec<String>)]
    allowed: Vec<Step>,
}

/// List the subscriptions
///
/// Those that have ended, too.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/subscriptions", operation_id = "list_subscriptions", tag = "Accounts",
    params(("account" = Id, Path), Since),
    responses((status = 200, description = "All that were ever reported.", body = Subscriptions))
)]
pub async fn list(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(since): Query<Since>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, since.min_position).await?;
    let opened = now.opened()?;
    let mut known: Vec<_> = opened.subscriptions.known().values().collect();
    known.sort_by(|one, other| other.evidence.cmp(&one.evidence));
    let billing = state.billing.state_of(&of.account);
    let listed = known.into_iter().map(|terms| {
        let allowed = amendment::allowed_to(&now.account, billing, terms);
        ListedSubscription { subscription: Subscription::at(terms, now.at, &opened.discounts), allowed }
    });
    let document = Subscriptions {
        account: &of.account,
        subscriptions: listed.collect(),
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}
