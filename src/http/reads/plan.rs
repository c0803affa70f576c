//! What may this account do, how much of it, and what does it pay?

use std::collections::BTreeMap;

use axum::{body::Body, extract::State, http::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        account::Account,
        amount::{Credits, Money},
        discounts::Discounts,
        ids::{AccountId, FeatureId, GenerationType, PlanId, ProviderId},
        limits,
        metadata::Metadata,
        reported_details::EveryUnit,
        subscription::{SubscriptionState, SubscriptionStatus},
        time::{Period, Timestamp},
    },
    http::{
        AppState,
        failure::Failure,
        limits::LimitWindowResponse,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, Reading},
        request::{AccountOf, Pairs, Query, Reads},
        schema::{Count, Id, MoneySchema, PeriodSchema, Place, Time},
    },
};

use super::{SinceQuery, fresh, now};

#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    #[schema(value_type = Id)]
    plan: &'a PlanId,
    limits: Vec<LimitWindowResponse>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// See what is left of limits
#[utoipa::path(
    get, path = "/v1/accounts/{account}/limits", operation_id = "get_limits", tag = "Accounts",
    params(("account" = Id, Path), SinceQuery),
    responses(
        (status = 200, description = "Each window of the plan's limits.", body = LimitsResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn limits(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(since): Query<SinceQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, since.min_position).await?;
    let (opened, catalog) = (now.opened()?, state.ledger.catalog());
    let plan = opened.plan(now.at, catalog);
    let terms = opened.terms(now.at, catalog);
    let states = terms.map(|terms| limits::states(&opened.usage, &terms, catalog, now.at));
    let document = LimitsResponse {
        account: &of.account,
        plan,
        limits: states.unwrap_or_default().into_iter().map(LimitWindowResponse::from).collect(),
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EntitlementsResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    #[schema(value_type = Id)]
    plan: &'a PlanId,
    /// Each feature of the catalog, and whether the plan has it.
    #[schema(value_type = BTreeMap<String, bool>)]
    features: BTreeMap<&'a FeatureId, bool>,
    generations: Vec<EntitledGeneration<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EntitledGeneration<'a> {
    #[schema(value_type = Id)]
    r#type: &'a GenerationType,
    /// The price on this plan, without options.
    #[schema(value_type = Count)]
    amount: Credits,
    /// Whether the plan has all features that it needs.
    included: bool,
    #[schema(value_type = Vec<Id>)]
    missing: Vec<&'a FeatureId>,
}

/// See what the plan allows
#[utoipa::path(
    get, path = "/v1/accounts/{account}/entitlements", operation_id = "get_entitlements", tag = "Accounts",
    params(("account" = Id, Path), SinceQuery),
    responses(
        (status = 200, description = "Features and generations.", body = EntitlementsResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn entitlements(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(since): Query<SinceQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, since.min_position).await?;
    let (opened, catalog) = (now.opened()?, state.ledger.catalog());
    let plan = opened.plan(now.at, catalog);
    let terms = opened.terms(now.at, catalog);
    // A closed account takes no commands.
    let is_open = matches!(now.account, Account::Open(_));
    let includes = |feature: &FeatureId| terms.as_ref().is_some_and(|terms| terms.features.contains(feature));
    let has = |feature: &FeatureId| is_open && includes(feature);
    let generations = catalog.generations.iter().map(|(kind, generation)| {
        let missing: Vec<&FeatureId> = generation.needs.iter().filter(|need| !has(need)).collect();
        let amount = catalog.price(plan, kind, &BTreeMap::new()).unwrap_or(generation.base);
        EntitledGeneration { r#type: kind, amount, included: is_open && missing.is_empty(), missing }
    });
    let document = EntitlementsResponse {
        account: &of.account,
        plan,
        features: catalog.features.keys().map(|feature| (feature, has(feature))).collect(),
        generations: generations.collect(),
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionNowResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// The plan that holds now.
    #[schema(value_type = Id)]
    plan: &'a PlanId,
    /// The subscription that gives the plan, else the one with the newest report; `null`: there never was one.
    subscription: Option<SubscriptionResponse<'a>>,
    /// The end of the last period that was paid for and not given back.
    #[schema(value_type = Option<Time>)]
    paid_until: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionResponse<'a> {
    #[schema(value_type = Id)]
    id: &'a ProviderId,
    /// `incomplete`, `trialing`, `active`, `past_due`, `unpaid`, `paused` or `cancelled`
    #[schema(value_type = String)]
    status: SubscriptionStatus,
    #[schema(value_type = Id)]
    plan: &'a PlanId,
    quantity: u32,
    /// Its monthly revenue. In a history: as it was reported, before its customer's discount.
    #[schema(value_type = MoneySchema)]
    monthly: Money,
    #[schema(value_type = PeriodSchema)]
    period: Period,
    /// The price's id at Stripe.
    /// This and the next four are `null` if the newest report was stored by a release that did not keep them.
    #[schema(value_type = Option<Id>)]
    price: Option<&'a ProviderId>,
    #[schema(value_type = Option<Id>)]
    product: Option<&'a ProviderId>,
    /// The price for a quantity of one, for each interval, before discounts and taxes.
    #[schema(value_type = Option<MoneySchema>)]
    amount: Option<&'a Money>,
    /// How often it is charged: every `interval_count` times `day`, `week`, `month` or `year`.
    #[schema(value_type = Option<String>)]
    interval: Option<EveryUnit>,
    interval_count: Option<u32>,
    #[schema(value_type = Option<Time>)]
    cancel_at: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    trial_start: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    trial_end: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    ended_at: Option<Timestamp>,
    collection_paused: bool,
    /// As it was sent when it was bought.
    #[schema(value_type = Pairs)]
    metadata: &'a Metadata,
}

impl<'a> From<&'a SubscriptionState> for SubscriptionResponse<'a> {
    fn from(terms: &'a SubscriptionState) -> Self {
        let shown = terms.shown.as_ref();
        let every = shown.and_then(|shown| shown.every);
        Self {
            id: &terms.subscription,
            status: terms.status,
            plan: &terms.plan,
            quantity: terms.quantity,
            monthly: terms.monthly.clone(),
            period: terms.period,
            price: shown.and_then(|shown| shown.price.as_ref()),
            product: shown.and_then(|shown| shown.product.as_ref()),
            amount: shown.and_then(|shown| shown.amount.as_ref()),
            interval: every.map(|every| every.unit),
            interval_count: every.map(|every| every.count),
            cancel_at: terms.cancel_at,
            trial_start: shown.and_then(|shown| shown.trial_start),
            trial_end: terms.trial_end,
            ended_at: terms.ended_at,
            collection_paused: terms.collection_paused,
            metadata: &terms.metadata,
        }
    }
}

impl<'a> SubscriptionResponse<'a> {
    /// The subscription with its revenue at `at`, after its customer's discount at that time.
    pub(super) fn at(terms: &'a SubscriptionState, at: Timestamp, discounts: &Discounts) -> Self {
        Self { monthly: terms.monthly_at(at, discounts), ..Self::from(terms) }
    }
}

/// See the subscription
#[utoipa::path(
    get, path = "/v1/accounts/{account}/subscription", operation_id = "get_subscription", tag = "Accounts",
    params(("account" = Id, Path), SinceQuery),
    responses(
        (status = 200, description = "The plan, and the subscription that gives it.", body = SubscriptionNowResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn subscription(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(since): Query<SinceQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, since.min_position).await?;
    let opened = now.opened()?;
    let catalog = state.ledger.catalog();
    let document = SubscriptionNowResponse {
        account: &of.account,
        plan: opened.plan(now.at, catalog),
        subscription: opened
            .subscription(now.at, catalog)
            .map(|terms| SubscriptionResponse::at(terms, now.at, &opened.discounts)),
        paid_until: opened.subscriptions.paid_until(&opened.payments),
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}
