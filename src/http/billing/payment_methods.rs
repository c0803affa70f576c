//! How does a front end manage payment methods?
//! By ids that Stripe's own forms return: card numbers are not accepted here.

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{Response, StatusCode, request::Parts},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{ids::ProviderId, time::Timestamp},
    http::{
        AppState,
        failure::Failure,
        openapi::{Input, Problems},
        problems::{
            AccountClosed, AccountNotFound, AskingStripe, CustomerTaken, PaymentMethodNotFound,
            PaymentMethodTaken,
        },
        request::{AccountOf, Bills, IdempotencyHeader, Json, Query, parameter, provenance},
        response::json,
        schema::{Id, Time},
    },
    stripe::outbound::{AttachOrder, Method, RepeatableAnswer},
};

use super::{answered, page::BillingPageQuery};

/// A payment method that Stripe's form has made, such as `pm_…`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "payment_method": "pm_1" }))]
pub struct AttachPaymentMethodRequest {
    #[schema(value_type = Id)]
    payment_method: ProviderId,
}

/// A payment method of the account.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentMethod, example = json!({
    "payment_method": "pm_1", "type": "card", "brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2034,
    "is_default": true, "created_at": "2025-06-01T00:00:00Z",
}))]
pub struct MethodDocument<'a> {
    #[schema(value_type = Id)]
    payment_method: &'a str,
    /// Stripe's type, such as `card`.
    r#type: &'a str,
    brand: Option<&'a str>,
    last4: Option<&'a str>,
    exp_month: Option<u8>,
    exp_year: Option<u16>,
    /// Whether it is the default for invoices.
    is_default: bool,
    #[schema(value_type = Option<Time>)]
    created_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub struct PaymentMethodsResponse<'a> {
    payment_methods: Vec<MethodDocument<'a>>,
    #[schema(value_type = Option<Id>)]
    next_cursor: Option<&'a str>,
}

/// A payment method that was removed.
#[derive(Serialize, ToSchema)]
pub struct DetachedMethodResponse<'a> {
    #[schema(value_type = Id)]
    payment_method: &'a str,
    detached: bool,
}

impl<'a> From<&'a Method> for MethodDocument<'a> {
    fn from(method: &'a Method) -> Self {
        let (seen, card) = (&method.seen, method.seen.card.as_ref());
        Self {
            payment_method: &seen.id,
            r#type: &seen.kind,
            brand: card.map(|card| card.brand.as_str()),
            last4: seen.last4(),
            exp_month: card.map(|card| card.exp_month),
            exp_year: card.map(|card| card.exp_year),
            is_default: method.preferred,
            created_at: Timestamp::from_seconds(seen.created),
        }
    }
}

/// The payment method in the path.
pub struct PaymentMethodPath(ProviderId);

impl Input for PaymentMethodPath {}

impl<S: Send + Sync> FromRequestParts<S> for PaymentMethodPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = parameter(parts, state, "payment_method").await?;
        let parsed = ProviderId::parse(&text);
        parsed.map(Self).map_err(|error| Failure::address("payment_method", error.to_string()))
    }
}

/// List payment methods
///
/// The newest first. Empty if the account has no customer yet.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/payment-methods", operation_id = "list_payment_methods",
    tag = "Customers", params(("account" = Id, Path), BillingPageQuery),
    responses(
        (status = 200, description = "Payment methods.", body = PaymentMethodsResponse),
        Problems<(AskingStripe, AccountNotFound, AccountClosed)>,
    )
)]
pub async fn list(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    Query(asked): Query<BillingPageQuery>,
) -> Result<Response<Body>, Failure> {
    let page = state.billing.list_methods(&of.account, asked.limit.page(asked.cursor)).await?;
    let last = page.methods.last().filter(|_| page.has_more);
    json(&PaymentMethodsResponse {
        payment_methods: page.methods.iter().map(MethodDocument::from).collect(),
        next_cursor: last.map(|method| method.seen.id.as_str()),
    })
}

/// Attach a payment method
///
/// The payment method was made by Stripe's own form in the person's browser.
/// If the account has no customer yet, one is made.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/payment-methods", operation_id = "attach_payment_method",
    tag = "Customers", params(("account" = Id, Path)), request_body = AttachPaymentMethodRequest,
    responses(
        (status = 201, description = "Attached.", body = MethodDocument),
        Problems<(AskingStripe, CustomerTaken, PaymentMethodNotFound, PaymentMethodTaken)>,
    )
)]
pub async fn attach(
    State(state): State<AppState>,
    to: AccountOf<Bills>,
    key: IdempotencyHeader,
    Json(input): Json<AttachPaymentMethodRequest>,
) -> Result<Response<Body>, Failure> {
    let provenance = provenance(&to.caller, &to.request_id);
    let (key, method) = (key.required()?, input.payment_method);
    let order = AttachOrder { account: to.account, key, method, provenance };
    let RepeatableAnswer { answer, replayed } = state.billing.attach_method(order).await?;
    answered(StatusCode::CREATED, &MethodDocument::from(&answer), replayed)
}

/// Make a payment method the default
#[utoipa::path(
    put, path = "/v1/accounts/{account}/payment-methods/{payment_method}/default",
    operation_id = "prefer_payment_method", tag = "Customers",
    params(("account" = Id, Path), ("payment_method" = Id, Path)),
    responses(
        (status = 200, description = "It is the default now.", body = MethodDocument),
        Problems<(AskingStripe, AccountNotFound, AccountClosed, PaymentMethodNotFound)>,
    )
)]
pub async fn prefer(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    PaymentMethodPath(method): PaymentMethodPath,
) -> Result<Response<Body>, Failure> {
    json(&MethodDocument::from(&state.billing.prefer_method(&of.account, &method).await?))
}

/// Remove a payment method
///
/// For good: a card that was removed has to be entered again.
#[utoipa::path(
    delete, path = "/v1/accounts/{account}/payment-methods/{payment_method}",
    operation_id = "detach_payment_method", tag = "Customers",
    params(("account" = Id, Path), ("payment_method" = Id, Path)),
    responses(
        (status = 200, description = "Detached.", body = DetachedMethodResponse),
        Problems<(AskingStripe, AccountNotFound, AccountClosed, PaymentMethodNotFound)>,
    )
)]
pub async fn detach(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    PaymentMethodPath(method): PaymentMethodPath,
) -> Result<Response<Body>, Failure> {
    let method = state.billing.detach_method(&of.account, &method).await?;
    json(&DetachedMethodResponse { payment_method: method.as_str(), detached: true })
}
