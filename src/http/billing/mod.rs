//! How does a front end take payments, and change subscriptions and customers?
//! These routes open a page at Stripe and answer its address; the other files have routes for front ends with pages of
//! their own.

pub mod customers;
mod documents;
pub mod found_customers;
mod inputs;
pub mod invoices;
mod page;
mod payment;
pub mod payment_methods;
pub mod payments;
pub mod products;
mod subscription_documents;
mod subscription_inputs;
pub mod subscriptions;
mod visitor;
mod web_url;

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};
use serde::Serialize;

use super::{
    AppState,
    commands::reply,
    failure::Failure,
    openapi::Problems,
    problems::{
        AskingStripe, BillingOffForAccount, CustomerTaken, NoCustomer, NoTrial, NotForSale,
        SubscriptionActive, TooManyCheckouts, TopUpOutOfBounds, UnknownPack, UnknownPlan,
    },
    request::{AccountOf, Bills, IdempotencyHeader, Json, provenance},
    schema::Id,
};
use crate::stripe::outbound::{Checkout, PortalRequest, RepeatableAnswer};

use documents::{CheckoutSession, PortalResponse};
use inputs::{CheckoutOrder, PortalSessionRequest};
use subscriptions::Changing;

/// Open a checkout page
///
/// What is bought there is granted when Stripe reports that it is paid, and not when the person returns from the page.
/// The key is remembered for 90 days.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/checkout-sessions", operation_id = "create_checkout_session",
    tag = "Billing", params(("account" = Id, Path)), request_body = CheckoutOrder,
    responses(
        (status = 201, description = "Opened.", body = CheckoutSession),
        Problems<(
            AskingStripe, CustomerTaken, UnknownPlan, UnknownPack, NotForSale, BillingOffForAccount,
            SubscriptionActive, NoTrial, TopUpOutOfBounds, TooManyCheckouts,
        )>,
    )
)]
pub async fn checkout(
    State(state): State<AppState>,
    to: AccountOf<Bills>,
    key: IdempotencyHeader,
    Json(order): Json<CheckoutOrder>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let parts = order.into_parts()?;
    let opened = state.billing.open_checkout(Checkout {
        provenance: provenance(&to.caller, &to.request_id),
        account: to.account,
        key,
        wish: parts.wish,
        success_url: parts.success_url,
        cancel_url: parts.cancel_url,
        email: parts.email,
        metadata: parts.metadata.clone(),
    });
    let RepeatableAnswer { answer, replayed } = opened.await?;
    let document = CheckoutSession {
        checkout_session_id: &answer.session,
        url: &answer.url,
        expires_at: answer.expires_at,
        metadata: &parts.metadata,
    };
    answered(StatusCode::CREATED, &document, replayed)
}

/// Open a page of the customer portal
///
/// The person can change the plan or the payment method there, or cancel.
/// If the request names a change, the page only asks to confirm it, and then returns.
/// The key is remembered for 90 days.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/portal-sessions", operation_id = "create_portal_session",
    tag = "Billing", params(("account" = Id, Path)), request_body = PortalSessionRequest,
    responses(
        (status = 201, description = "Opened.", body = PortalResponse),
        Problems<(AskingStripe, NoCustomer, Changing)>,
    )
)]
pub async fn portal(
    State(state): State<AppState>,
    to: AccountOf<Bills>,
    key: IdempotencyHeader,
    Json(order): Json<PortalSessionRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let (return_url, change) = order.into_parts()?;
    let portal = PortalRequest { account: to.account, key, return_url, change };
    let RepeatableAnswer { answer, replayed } = state.billing.open_portal(portal).await?;
    answered(StatusCode::CREATED, &PortalResponse { url: &answer }, replayed)
}

fn answered(
    status: StatusCode,
    document: &impl Serialize,
    replayed: bool,
) -> Result<Response<Body>, Failure> {
    reply::write(status, replayed, document).map(reply::send)
}
