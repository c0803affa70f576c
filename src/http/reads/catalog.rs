//! What is for sale? Plans, packs and prices of generations, which everybody may see.

use std::collections::BTreeMap;

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        amount::{Credits, Currency, Money},
        catalog::{
            Allocation, Catalog, GenerationPrice, Interval, Limit, Measure, Pack, Plan, TopUp, WindowKind,
        },
        ids::{AccountId, FeatureId, GenerationType, OptionName, PackId, PlanId},
        rollout::{BillingState, Reach},
        time::CalendarUnit,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        problems::{InvalidParameter, RateLimited},
        request::Query,
        schema::{Count, Id, MoneySchema},
    },
};

use super::json;

/// For whom it is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShownToQuery {
    /// What is for sale to this account, which need not exist. If left out: what is for sale to anybody.
    #[param(value_type = Option<Id>)]
    account: Option<AccountId>,
}

impl ShownToQuery {
    /// Whether anything is sold to them.
    #[must_use]
    pub fn reach(&self, state: &AppState) -> Reach {
        match self.account.as_ref().map(|account| state.billing.state_of(account)) {
            Some(BillingState::On) => Reach::On,
            Some(BillingState::Off) => Reach::Off,
            None => state.billing.reach(),
        }
    }
}

/// What is for sale.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Catalog)]
pub struct CatalogResponse<'a> {
    name: &'a str,
    /// Changes with the catalog. Every event has the hash of the catalog that it was decided under.
    hash: &'a str,
    /// ISO 4217, lower case.
    #[schema(value_type = String)]
    currency: &'a Currency,
    /// With how many decimals credits are shown.
    scale: u8,
    /// Whether anything is sold: `on`, `off`, or, if no account is named, `partly`: to some accounts
    #[schema(value_type = String)]
    billing: Reach,
    #[schema(value_type = Id)]
    free_plan: &'a PlanId,
    #[schema(value_type = BTreeMap<String, String>)]
    features: &'a BTreeMap<FeatureId, String>,
    /// From the smallest to the largest.
    plans: Vec<PlanResponse<'a>>,
    packs: Vec<PackResponse<'a>>,
    /// How any number of credits can be bought; `null` if only packs are sold.
    top_up: Option<TopUpResponse<'a>>,
    generations: Vec<GenerationResponse<'a>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub struct PlanResponse<'a> {
    #[schema(value_type = Id)]
    id: &'a PlanId,
    name: &'a str,
    popular: bool,
    marketing: &'a [String],
    credits: AllocationResponse,
    #[schema(value_type = Vec<Id>)]
    features: Vec<&'a FeatureId>,
    limits: Vec<LimitResponse>,
    discount_percent: u8,
    prices: Vec<CatalogPriceResponse<'a>>,
    trial_days: Option<u16>,
}

/// When a plan gives credits, and how many.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Allocation)]
pub struct AllocationResponse {
    /// `none`, `once` or `monthly`
    #[schema(value_type = String)]
    when: &'static str,
    #[schema(value_type = Count)]
    amount: Credits,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Limit)]
pub struct LimitResponse {
    #[schema(value_type = String)]
    measure: Measure,
    #[schema(value_type = String)]
    per: CalendarUnit,
    #[schema(value_type = String)]
    window: WindowKind,
    max: u64,
    /// Whether the limit is for each seat.
    per_seat: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Price)]
pub struct CatalogPriceResponse<'a> {
    /// `month` or `year`
    #[schema(value_type = String)]
    interval: Interval,
    #[schema(value_type = MoneySchema)]
    amount: &'a Money,
    /// Whether it can be bought here: its price has an id at the payment provider, and billing is on.
    for_sale: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pack)]
pub struct PackResponse<'a> {
    #[schema(value_type = Id)]
    id: &'a PackId,
    name: &'a str,
    #[schema(value_type = Count)]
    credits: Credits,
    #[schema(value_type = MoneySchema)]
    price: &'a Money,
    /// `null`: never.
    expires_after_days: Option<u16>,
    /// As for the price of a plan.
    for_sale: bool,
}

/// Any number of credits, at a price for each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TopUp)]
pub struct TopUpResponse<'a> {
    name: &'a str,
    /// The exact price of one credit in minor units. The price of a number of credits is rounded up.
    #[schema(example = "1.25")]
    minor_per_credit: String,
    /// The fewest credits in one purchase.
    #[schema(value_type = Count)]
    smallest: Credits,
    /// The most credits in one purchase.
    #[schema(value_type = Count)]
    largest: Credits,
    /// `null`: never.
    expires_after_days: Option<u16>,
    /// Whether billing is on.
    for_sale: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Generation)]
pub struct GenerationResponse<'a> {
    #[schema(value_type = Id)]
    r#type: &'a GenerationType,
    name: &'a str,
    /// Without options, and before a plan's discount.
    #[schema(value_type = Count)]
    credits: Credits,
    /// What each value of an option adds.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, i64>>)]
    options: &'a BTreeMap<OptionName, BTreeMap<OptionName, Credits>>,
    #[schema(value_type = Vec<Id>)]
    needs: Vec<&'a FeatureId>,
}

impl<'a> CatalogResponse<'a> {
    fn of(catalog: &'a Catalog, billing: Reach) -> Self {
        let plans = catalog.plans.iter().filter(|plan| plan.is_sold());
        let packs = catalog.packs.iter().filter(|pack| pack.is_sold());
        Self {
            name: &catalog.name,
            hash: &catalog.hash,
            currency: &catalog.currency,
            scale: catalog.scale,
            billing,
            free_plan: &catalog.free_plan,
            features: &catalog.features,
            plans: plans.map(|plan| PlanResponse::of(plan, billing)).collect(),
            packs: packs.map(|pack| PackResponse::of(pack, billing)).collect(),
            top_up: catalog.top_up.as_ref().map(|top_up| TopUpResponse::of(top_up, billing)),
            generations: catalog.generations.iter().map(GenerationResponse::from).collect(),
        }
    }
}

impl<'a> PlanResponse<'a> {
    fn of(plan: &'a Plan, billing: Reach) -> Self {
        let limit = |limit: &Limit| LimitResponse {
            measure: limit.measure,
            per: limit.unit,
            window: limit.window,
            max: limit.max,
            per_seat: limit.per_seat,
        };
        let prices = plan.prices.iter().map(|price| CatalogPriceResponse {
            interval: price.interval,
            amount: &price.amount,
            for_sale: billing.sells() && price.stripe.sale_id().is_some(),
        });
        let (when, amount) = match plan.allocation {
            Allocation::None => ("none", Credits::ZERO),
            Allocation::Once(amount) => ("once", amount),
            Allocation::Monthly(amount) => ("monthly", amount),
        };
        Self {
            id: &plan.id,
            name: &plan.name,
            popular: plan.popular,
            marketing: &plan.marketing,
            credits: AllocationResponse { when, amount },
            features: plan.features.iter().collect(),
            limits: plan.limits.iter().map(limit).collect(),
            discount_percent: plan.discount_percent,
            prices: prices.collect(),
            trial_days: plan.trial.map(|trial| trial.days),
        }
    }
}

impl<'a> TopUpResponse<'a> {
    fn of(top_up: &'a TopUp, billing: Reach) -> Self {
        Self {
            name: &top_up.name,
            minor_per_credit: top_up.minor_per_credit(),
            smallest: top_up.smallest,
            largest: top_up.largest,
            expires_after_days: top_up.expires_after_days,
            for_sale: billing.sells(),
        }
    }
}

impl<'a> PackResponse<'a> {
    fn of(pack: &'a Pack, billing: Reach) -> Self {
        Self {
            id: &pack.id,
            name: &pack.name,
            credits: pack.credits,
            price: &pack.price,
            expires_after_days: pack.expires_after_days,
            for_sale: billing.sells() && pack.stripe.sale_id().is_some(),
        }
    }
}

impl<'a> From<(&'a GenerationType, &'a GenerationPrice)> for GenerationResponse<'a> {
    fn from((kind, price): (&'a GenerationType, &'a GenerationPrice)) -> Self {
        Self {
            r#type: kind,
            name: &price.name,
            credits: price.base,
            options: &price.options,
            needs: price.needs.iter().collect(),
        }
    }
}

/// See what is for sale
///
/// With an `account`: if billing is on for a part of the accounts, nothing is for sale to the others.
#[utoipa::path(
    get, path = "/v1/catalog", operation_id = "get_catalog", tag = "Catalog", security(()), params(ShownToQuery),
    responses(
        (status = 200, description = "Plans, packs and prices.", body = CatalogResponse),
        Problems<(RateLimited, InvalidParameter)>,
    )
)]
pub async fn get(
    State(state): State<AppState>,
    Query(to): Query<ShownToQuery>,
) -> Result<Response<Body>, Failure> {
    json(&CatalogResponse::of(state.ledger.catalog(), to.reach(&state)))
}
