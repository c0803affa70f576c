//! Which grants and holds make up the balance?

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        amount::{Credits, Money},
        credits::{self, Source},
        event::Draw,
        ids::{AccountId, GenerationId, GrantId, HoldId, ProviderId},
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, Reading},
        request::{AccountOf, Query, Reads},
        schema::{Count, DrawSchema, Id, MoneySchema, Place, SourceSchema, Time},
    },
};

use super::{
    fresh, now,
    page::{PageSize, page},
};

/// Which part of a list, and from which position on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many items; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct GrantsResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// Those with credits left or held come first, in the spending order.
    grants: Vec<GrantResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A grant. `granted = consumed + held + expired + voided + remaining`.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantResponse<'a> {
    #[schema(value_type = Id)]
    grant_id: &'a GrantId,
    #[schema(value_type = SourceSchema)]
    source: Source,
    status: GrantStatus,
    #[schema(value_type = Count)]
    granted: Credits,
    #[schema(value_type = Count)]
    consumed: Credits,
    #[schema(value_type = Count)]
    held: Credits,
    #[schema(value_type = Count)]
    expired: Credits,
    #[schema(value_type = Count)]
    voided: Credits,
    #[schema(value_type = Count)]
    remaining: Credits,
    /// 0 is spent first.
    priority: u8,
    #[schema(value_type = Time)]
    granted_at: Timestamp,
    #[schema(value_type = Time)]
    starts_at: Timestamp,
    /// `null`: never.
    #[schema(value_type = Option<Time>)]
    expires_at: Option<Timestamp>,
    /// What its invoice or payment charged for it, before credits of the same invoice and before refunds; `null`:
    /// nothing.
    #[schema(value_type = Option<MoneySchema>)]
    cost: Option<&'a Money>,
    #[schema(value_type = Option<Id>)]
    payment: Option<&'a ProviderId>,
    reason: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantStatus {
    /// It can be spent.
    Live,
    /// It has not started yet.
    Pending,
    /// Its payment is disputed.
    Frozen,
    /// Nothing is left.
    Used,
    /// It has ended.
    Ended,
}

impl<'a> GrantResponse<'a> {
    fn of(grant: &'a credits::Grant, at: Timestamp) -> Self {
        Self {
            grant_id: &grant.terms.grant_id,
            source: grant.terms.source,
            status: GrantStatus::of(grant, at),
            granted: grant.terms.amount,
            consumed: grant.consumed,
            held: grant.held,
            expired: grant.expired,
            voided: grant.voided,
            remaining: grant.remaining,
            priority: grant.terms.priority,
            granted_at: grant.granted_at,
            starts_at: grant.terms.starts_at,
            expires_at: grant.terms.expires_at,
            cost: grant.terms.cost.as_ref(),
            payment: grant.terms.payment.as_ref(),
            reason: grant.terms.reason.as_deref(),
        }
    }
}

impl GrantStatus {
    fn of(grant: &credits::Grant, at: Timestamp) -> Self {
        if grant.has_ended(at) {
            Self::Ended
        } else if grant.is_settled() {
            Self::Used
        } else if grant.frozen_by.is_some() {
            Self::Frozen
        } else if grant.is_live(at) {
            Self::Live
        } else {
            Self::Pending
        }
    }
}

/// List grants
#[utoipa::path(
    get, path = "/v1/accounts/{account}/grants", operation_id = "list_grants", tag = "Accounts",
    params(("account" = Id, Path), PageQuery),
    responses(
        (status = 200, description = "A page of grants.", body = GrantsResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn grants(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<PageQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, asked.min_position).await?;
    let all = now.opened()?.wallet.grants();
    let name = |grant: &credits::Grant| grant.terms.grant_id.as_str().to_owned();
    let (grants, next_cursor) =
        page(all, name, asked.cursor.as_deref(), asked.limit).ok_or_else(Failure::unknown_cursor)?;
    let document = GrantsResponse {
        account: &of.account,
        grants: grants.into_iter().map(|grant| GrantResponse::of(grant, now.at)).collect(),
        next_cursor,
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HoldsResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// Open holds.
    holds: Vec<HoldResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// Credits that are held.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenHold)]
pub struct HoldResponse<'a> {
    #[schema(value_type = Id)]
    hold_id: &'a HoldId,
    #[schema(value_type = Option<Id>)]
    generation_id: Option<&'a GenerationId>,
    /// All that was held so far, top-ups included. `amount = spent + returned + left`.
    #[schema(value_type = Count)]
    amount: Credits,
    /// How much of it was spent in parts.
    #[schema(value_type = Count)]
    spent: Credits,
    /// How much of it was returned in parts.
    #[schema(value_type = Count)]
    returned: Credits,
    /// What is held now.
    #[schema(value_type = Count)]
    left: Credits,
    /// Which grants it is held from. Sums to `left`.
    #[schema(value_type = Vec<DrawSchema>)]
    draws: &'a [Draw],
    #[schema(value_type = Time)]
    held_at: Timestamp,
    #[schema(value_type = Time)]
    expires_at: Timestamp,
}

/// List open holds
#[utoipa::path(
    get, path = "/v1/accounts/{account}/holds", operation_id = "list_holds", tag = "Holds",
    params(("account" = Id, Path), PageQuery),
    responses(
        (status = 200, description = "A page of holds.", body = HoldsResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn holds(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<PageQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, asked.min_position).await?;
    let open = now.opened()?.wallet.holds.open();
    let name = |hold: &credits::Hold| hold.hold_id.as_str().to_owned();
    let (holds, next_cursor) =
        page(open, name, asked.cursor.as_deref(), asked.limit).ok_or_else(Failure::unknown_cursor)?;
    let holds = holds.into_iter().map(|hold| HoldResponse {
        hold_id: &hold.hold_id,
        generation_id: hold.purpose.generation_id(),
        amount: hold.amount,
        spent: hold.spent,
        returned: hold.returned,
        left: hold.left(),
        draws: &hold.draws,
        held_at: hold.held_at,
        expires_at: hold.expires_at,
    });
    let document = HoldsResponse {
        account: &of.account,
        holds: holds.collect(),
        next_cursor,
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}
