//! Which subscriptions are there, over all accounts? For people who manage them.

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        ids::{AccountId, PlanId, ProviderId},
        subscription::SubscriptionStatus,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::ReadingModel,
        request::{All, Bills, Query},
        schema::{Id, Place},
    },
    projections::subscriptions::{self, Current, SubscriptionCursor},
};

use super::{as_of, page::PageSize, plan::SubscriptionResponse, wait};

const MODEL: &str = "subscriptions";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AllSubscriptionsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// Only subscriptions to this plan.
    #[param(value_type = Option<Id>)]
    plan: Option<PlanId>,
    /// Only those with this status: `incomplete`, `trialing`, `active`, `past_due`, `unpaid`, `paused` or `cancelled`.
    #[param(value_type = Option<String>)]
    status: Option<SubscriptionStatus>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<SubscriptionListCursor>,
    /// How many; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

/// The last account and subscription of the page before.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct SubscriptionListCursor(SubscriptionCursor);

impl TryFrom<String> for SubscriptionListCursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let parse = |text: &str| {
            let (account, subscription) = text.split_once('~')?;
            let account_id = AccountId::parse(account).ok()?.as_str().to_owned();
            let subscription = ProviderId::parse(subscription).ok()?.as_str().to_owned();
            Some(SubscriptionCursor { account_id, subscription })
        };
        parse(&text).map(Self).ok_or("it is not a `next_cursor` of an earlier page")
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AllSubscriptionsResponse<'a> {
    subscriptions: Vec<SubscriptionOfAccountResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionOfAccountResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    /// By its newest report, before its customer's discount.
    subscription: SubscriptionResponse<'a>,
}

/// List subscriptions of all accounts
///
/// By their newest reports, including those that have ended, sorted by account.
#[utoipa::path(
    get, path = "/v1/subscriptions", operation_id = "list_all_subscriptions", tag = "Reports",
    params(AllSubscriptionsQuery),
    responses(
        (status = 200, description = "A page of subscriptions.", body = AllSubscriptionsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn list(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<AllSubscriptionsQuery>,
) -> Result<Response<Body>, Failure> {
    let standing = wait(&state, MODEL, None, asked.min_position).await?;
    let after = asked.cursor.map(|SubscriptionListCursor(after)| after);
    let (plan, limit) = (asked.plan.as_ref(), asked.limit.rows());
    let rows = subscriptions::page(&state.pool, plan, asked.status, after.as_ref(), limit).await?;
    let full = rows.len() == asked.limit.get();
    let next = rows.last().filter(|_| full);
    let document = AllSubscriptionsResponse {
        subscriptions: rows.iter().map(SubscriptionOfAccountResponse::from).collect(),
        next_cursor: next.map(|row| format!("{}~{}", row.account_id, row.subscription)),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

impl<'a> From<&'a Current> for SubscriptionOfAccountResponse<'a> {
    fn from(row: &'a Current) -> Self {
        Self { account: &row.account_id, subscription: SubscriptionResponse::from(&*row.terms) }
    }
}
