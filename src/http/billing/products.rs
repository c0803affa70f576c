//! What does a pricing page show, and how are products made at Stripe?
//!
//! The catalog says what is sold, so everybody may read it here, without a key and without a call to Stripe.
//! An operator makes the products and prices at Stripe whose ids the catalog's settings then have.

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{Response, StatusCode, request::Parts},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::{Credits, Money},
        catalog::{Catalog, Interval, Pack, Plan, PlanPrice},
        ids::ProviderId,
        rollout::Reach,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::{Input, Problems},
        problems::{AskingStripe, InvalidParameter, NameTaken, ProductNotFound, RateLimited, TargetError},
        reads::catalog::ShownToQuery,
        request::{Administers, All, Json, Query, Text, parameter},
        response::json,
        schema::{Count, Id, MoneySchema},
    },
    stripe::{
        client::{PriceRequest, ProductRequest, StripeProduct, setup::LookupPriceResponse},
        outbound::Created,
    },
};

use super::{inputs::IntervalChoice, visitor::Visitor};

/// How many lines of marketing text Stripe accepts.
const MARKETING_LINES_MAX: usize = 15;

#[derive(Serialize, ToSchema)]
pub struct ProductsResponse<'a> {
    /// Whether anything is sold: `on`, `off`, or, if no account is named, `partly`: to some accounts
    #[schema(value_type = String)]
    billing: Reach,
    /// Plans from the smallest to the largest, then packs.
    products: Vec<ProductDocument<'a>>,
}

/// A plan to subscribe to, or a pack to buy.
#[derive(Serialize, ToSchema)]
#[schema(as = Product, example = json!({
    "product": "creator", "kind": "plan", "name": "Creator", "popular": true, "credits": 1500,
    "marketing": ["1,500 credits"], "features": ["stem_separation"], "stripe_product": null,
    "prices": [{
        "product": "creator", "kind": "plan", "interval": "month", "amount": { "minor": 1999, "currency": "usd" },
        "stripe_price": "price_1", "for_sale": true,
    }],
}))]
pub struct ProductDocument<'a> {
    #[schema(value_type = Id)]
    product: &'a str,
    /// `plan` or `pack`
    kind: &'static str,
    name: &'a str,
    popular: bool,
    /// For each month of a plan, or once for a pack.
    #[schema(value_type = Count)]
    credits: Credits,
    marketing: &'a [String],
    #[schema(value_type = Vec<Id>)]
    features: Vec<&'a str>,
    #[schema(value_type = Option<Id>)]
    stripe_product: Option<&'a str>,
    /// Empty for a free plan.
    prices: Vec<ProductPriceResponse<'a>>,
}

#[derive(Serialize, ToSchema)]
pub struct PricesResponse<'a> {
    /// As in the list of products.
    #[schema(value_type = String)]
    billing: Reach,
    prices: Vec<ProductPriceResponse<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ProductPrice)]
pub struct ProductPriceResponse<'a> {
    #[schema(value_type = Id)]
    product: &'a str,
    /// `plan` or `pack`
    kind: &'static str,
    /// `month` or `year`; `null` for what is paid once.
    interval: Option<&'static str>,
    #[schema(value_type = MoneySchema)]
    amount: &'a Money,
    #[schema(value_type = Option<Id>)]
    stripe_price: Option<&'a str>,
    /// Whether it can be bought here: its price has an id at Stripe, and billing is on.
    for_sale: bool,
}

impl<'a> ProductPriceResponse<'a> {
    fn of_plan(plan: &'a Plan, price: &'a PlanPrice, billing: Reach) -> Self {
        Self {
            product: plan.id.as_str(),
            kind: "plan",
            interval: Some(price.interval.as_str()),
            amount: &price.amount,
            stripe_price: price.stripe.sale_id(),
            for_sale: billing.sells() && price.stripe.sale_id().is_some(),
        }
    }

    fn of_pack(pack: &'a Pack, billing: Reach) -> Self {
        Self {
            product: pack.id.as_str(),
            kind: "pack",
            interval: None,
            amount: &pack.price,
            stripe_price: pack.stripe.sale_id(),
            for_sale: billing.sells() && pack.stripe.sale_id().is_some(),
        }
    }
}

impl<'a> ProductDocument<'a> {
    fn of_plan(plan: &'a Plan, billing: Reach) -> Self {
        let prices = plan.prices.iter().map(|price| ProductPriceResponse::of_plan(plan, price, billing));
        Self {
            product: plan.id.as_str(),
            kind: "plan",
            name: &plan.name,
            popular: plan.popular,
            credits: plan.allocation.credits(),
            marketing: &plan.marketing,
            features: plan.features.iter().map(|feature| feature.as_str()).collect(),
            stripe_product: plan.prices.iter().find_map(|price| price.stripe.product_id.as_deref()),
            prices: prices.collect(),
        }
    }

    fn of_pack(pack: &'a Pack, billing: Reach) -> Self {
        Self {
            product: pack.id.as_str(),
            kind: "pack",
            name: &pack.name,
            popular: false,
            credits: pack.credits,
            marketing: &[],
            features: Vec::new(),
            stripe_product: pack.stripe.product_id.as_deref(),
            prices: vec![ProductPriceResponse::of_pack(pack, billing)],
        }
    }
}

fn products(catalog: &Catalog, billing: Reach) -> impl Iterator<Item = ProductDocument<'_>> {
    let plans = catalog.plans.iter().filter(|plan| plan.is_offered());
    let packs = catalog.packs.iter().filter(|pack| pack.is_sold());
    let plans = plans.map(move |plan| ProductDocument::of_plan(plan, billing));
    plans.chain(packs.map(move |pack| ProductDocument::of_pack(pack, billing)))
}

/// See what a pricing page shows
///
/// No key is needed. The answer has an `ETag`, and may be cached for a minute.
/// With an `account`, the answer says what that account can buy.
#[utoipa::path(
    get, path = "/v1/products", operation_id = "list_products", tag = "Catalog", security(()), params(ShownToQuery),
    responses(
        (status = 200, description = "Plans and packs, with their prices.", body = ProductsResponse),
        (status = 304, description = "It has not changed since the `ETag` in `If-None-Match`."),
        Problems<(RateLimited, InvalidParameter)>,
    )
)]
pub async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(to): Query<ShownToQuery>,
) -> Result<Response<Body>, Failure> {
    let billing = to.reach(&state);
    let products = products(state.ledger.catalog(), billing).collect();
    visitor.answer(&ProductsResponse { billing, products })
}

/// The plan or pack in the path.
pub struct ProductPath(ProviderId);

impl Input for ProductPath {}

impl<S: Send + Sync> FromRequestParts<S> for ProductPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = parameter(parts, state, "product").await?;
        ProviderId::parse(&text).map(Self).map_err(|error| Failure::address("product", error.to_string()))
    }
}

/// See a product
#[utoipa::path(
    get, path = "/v1/products/{product}", operation_id = "get_product", tag = "Catalog", security(()),
    params(
        ("product" = Id, Path, description = "The id of a plan or, if there is no such plan, of a pack."),
        ShownToQuery,
    ),
    responses(
        (status = 200, description = "The plan or pack.", body = ProductDocument),
        (status = 304, description = "It has not changed since the `ETag` in `If-None-Match`."),
        Problems<(RateLimited, InvalidParameter, ProductNotFound)>,
    )
)]
pub async fn get(
    State(state): State<AppState>,
    visitor: Visitor,
    ProductPath(id): ProductPath,
    Query(to): Query<ShownToQuery>,
) -> Result<Response<Body>, Failure> {
    let found =
        products(state.ledger.catalog(), to.reach(&state)).find(|product| product.product == id.as_str());
    visitor.answer(&found.ok_or(TargetError::ProductNotFound)?)
}

/// See all prices
///
/// Those of all products, in one list.
#[utoipa::path(
    get, path = "/v1/prices", operation_id = "list_prices", tag = "Catalog", security(()), params(ShownToQuery),
    responses(
        (status = 200, description = "Prices.", body = PricesResponse),
        (status = 304, description = "It has not changed since the `ETag` in `If-None-Match`."),
        Problems<(RateLimited, InvalidParameter)>,
    )
)]
pub async fn prices(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(to): Query<ShownToQuery>,
) -> Result<Response<Body>, Failure> {
    let billing = to.reach(&state);
    let prices = products(state.ledger.catalog(), billing).flat_map(|product| product.prices).collect();
    visitor.answer(&PricesResponse { billing, prices })
}

/// A product to make at Stripe.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "product": "creator", "name": "Creator", "marketing": ["1,500 credits"] }))]
pub struct CreateProductRequest {
    /// Its id at Stripe. A second request with the same id finds the first one's product.
    #[schema(value_type = Id)]
    product: ProviderId,
    name: Text,
    #[serde(default)]
    description: Option<Text>,
    #[serde(default)]
    #[schema(max_items = 15)]
    marketing: Vec<Text>,
}

/// A price to make at Stripe, in the catalog's currency.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "product": "creator", "amount": 1999, "interval": "month", "lookup_key": "creator_month",
}))]
pub struct PriceInput {
    #[schema(value_type = Id)]
    product: ProviderId,
    /// In minor units.
    #[schema(minimum = 0)]
    amount: i64,
    /// For a price that is paid once, leave it out.
    #[serde(default)]
    interval: Option<IntervalChoice>,
    /// Its lookup key at Stripe. A second request with the same key finds the first one's price.
    #[schema(value_type = Id)]
    lookup_key: ProviderId,
}

/// A product at Stripe.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "stripe_product": "creator", "name": "Creator" }))]
pub struct StripeProductResponse<'a> {
    #[schema(value_type = Id)]
    stripe_product: &'a str,
    name: &'a str,
}

/// A price at Stripe. It is sold once the catalog, or the setting that the catalog names, has its id.
#[derive(Serialize, ToSchema)]
#[schema(as = StripePrice, example = json!({
    "stripe_price": "price_1", "stripe_product": "creator", "lookup_key": "creator_month",
    "amount": { "minor": 1999, "currency": "usd" }, "interval": "month",
}))]
pub struct StripePriceDocument<'a> {
    #[schema(value_type = Id)]
    stripe_price: &'a str,
    #[schema(value_type = Id)]
    stripe_product: &'a str,
    #[schema(value_type = Option<Id>)]
    lookup_key: Option<&'a str>,
    #[schema(value_type = MoneySchema)]
    amount: &'a Money,
    interval: Option<&'a str>,
}

/// Make a product at Stripe
///
/// Once for each id: a repeated request finds it.
#[utoipa::path(
    post, path = "/v1/products", operation_id = "create_product", tag = "Catalog", request_body = CreateProductRequest,
    responses(
        (status = 201, description = "Made.", body = StripeProductResponse),
        (status = 200, description = "It existed already.", body = StripeProductResponse),
        Problems<(AskingStripe, NameTaken)>,
    )
)]
pub async fn create(
    State(state): State<AppState>,
    _from: All<Administers>,
    Json(input): Json<CreateProductRequest>,
) -> Result<Response<Body>, Failure> {
    if input.marketing.len() > MARKETING_LINES_MAX {
        return Err(Failure::body("$.marketing", format!("at most {MARKETING_LINES_MAX} lines")));
    }
    let product = ProductRequest {
        id: input.product.to_string(),
        name: input.name.into(),
        description: input.description.map(String::from),
        marketing: input.marketing.into_iter().map(String::from).collect(),
    };
    let Created { ware, new } = state.billing.make_product(&product).await?;
    let StripeProduct { id, name, .. } = &ware;
    made(&StripeProductResponse { stripe_product: id, name }, new)
}

/// Make a price at Stripe
///
/// Once for each `lookup_key`: a repeated request finds it.
#[utoipa::path(
    post, path = "/v1/prices", operation_id = "create_price", tag = "Catalog", request_body = PriceInput,
    responses(
        (status = 201, description = "Made.", body = StripePriceDocument),
        (status = 200, description = "It existed already.", body = StripePriceDocument),
        Problems<(AskingStripe, NameTaken)>,
    )
)]
pub async fn create_price(
    State(state): State<AppState>,
    _from: All<Administers>,
    Json(input): Json<PriceInput>,
) -> Result<Response<Body>, Failure> {
    if input.amount < 0 {
        return Err(Failure::body("$.amount", "a price is not negative"));
    }
    let money = Money { minor: input.amount, currency: state.ledger.catalog().currency.clone() };
    let interval = input.interval.map(Interval::from);
    let (product, lookup_key) = (input.product.to_string(), input.lookup_key.to_string());
    let price = PriceRequest { product, money, interval, lookup_key };
    let Created { ware, new } = state.billing.make_price(&price).await?;
    let LookupPriceResponse { id, product, lookup_key, .. } = &ware;
    let document = StripePriceDocument {
        stripe_price: id,
        stripe_product: product,
        lookup_key: lookup_key.as_deref(),
        amount: &price.money,
        interval: ware.interval(),
    };
    made(&document, new)
}

fn made(document: &impl Serialize, new: bool) -> Result<Response<Body>, Failure> {
    let mut response = json(document)?;
    if new {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}
