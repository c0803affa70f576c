//! How does a product manage a subscription? These routes change it at Stripe, and the ledger follows by webhooks.

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};

use super::{
    answered,
    inputs::check_quantity,
    subscription_documents::{
        ChangePreviewResponse, InvoicePreviewed, PendingChange, PendingOffer, SubscriptionRequested,
        UpcomingInvoiceResponse,
    },
    subscription_inputs::{
        CancelSubscriptionRequest, ChangeSubscriptionRequest, NewSubscriptionRequest, SubscriptionQuery,
        SubscriptionRequest,
    },
};
use crate::{
    domain::ids::ProviderId,
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        problems::{
            AccountClosed, AccountNotFound, AmountTooLarge, AskingStripe, BillingOffForAccount, ChangeUnpaid,
            NoCustomer, NoSubscription, NoTrial, NotForSale, NothingToChange, PaymentMethodNotFound,
            PreviewExpired, SeveralSubscriptions, SubscriptionActive, SubscriptionNotFound,
            SubscriptionState, TooManyCheckouts, UnknownPlan,
        },
        request::{AccountOf, Bills, IdempotencyHeader, Json, JsonOrNothing, Query, provenance},
        response::json,
        schema::Id,
    },
    stripe::outbound::{Amend, AmendmentRequest, RepeatableAnswer, Subscribe},
};

/// Problems of finding the subscription that is meant.
pub type FindingSubscription = (NoSubscription, SubscriptionNotFound, SeveralSubscriptions);
/// Problems of the subscription's state.
pub type Amending = (FindingSubscription, SubscriptionState, NothingToChange);
/// The same, for a change to another plan, interval or quantity.
pub type Changing = (Amending, ChangeUnpaid, UnknownPlan, NotForSale, BillingOffForAccount);

/// Subscribe without a checkout page
///
/// For a customer with a payment method. It is charged now, or when the trial ends.
/// If it cannot be charged, for example because the bank requires authentication, no subscription is made: use a
/// checkout page.
/// The plan and its credits follow when Stripe reports the payment.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/subscriptions", operation_id = "subscribe", tag = "Billing",
    params(("account" = Id, Path)), request_body = NewSubscriptionRequest,
    responses(
        (status = 201, description = "The subscription was made at Stripe.", body = SubscriptionRequested),
        Problems<(
            AskingStripe, UnknownPlan, NotForSale, BillingOffForAccount, NoCustomer, PaymentMethodNotFound,
            SubscriptionActive, NoTrial, TooManyCheckouts,
        )>,
    )
)]
pub async fn subscribe(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    key: IdempotencyHeader,
    Json(order): Json<NewSubscriptionRequest>,
) -> Result<Response<Body>, Failure> {
    let (account, key) = (of.account, key.required()?);
    check_quantity(order.quantity)?;
    let NewSubscriptionRequest { plan, interval, quantity, trial, payment_method, metadata } = order;
    let (interval, method, metadata) = (interval.into(), payment_method, metadata.0);
    let provenance = provenance(&of.caller, &of.request_id);
    let subscribe = Subscribe { account, key, plan, interval, quantity, trial, method, metadata, provenance };
    let RepeatableAnswer { answer, replayed } = state.billing.subscribe(subscribe).await?;
    let document = SubscriptionRequested::new(&answer, state.ledger.catalog());
    answered(StatusCode::CREATED, &document, replayed)
}

/// Preview a change of the subscription
///
/// What it would cost, as Stripe computes it, and what it would do to credits, by the ledger's own rules.
/// Nothing is changed.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/subscription/change/preview",
    operation_id = "preview_subscription_change", tag = "Billing", params(("account" = Id, Path)),
    request_body = ChangeSubscriptionRequest,
    responses(
        (status = 200, description = "As it would be now.", body = ChangePreviewResponse),
        Problems<(AskingStripe, AccountNotFound, AccountClosed, AmountTooLarge, Changing, PreviewExpired)>,
    )
)]
pub async fn preview_change(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    Json(order): Json<ChangeSubscriptionRequest>,
) -> Result<Response<Body>, Failure> {
    let subscription = order.subscription.clone();
    let wish = order.into_wish()?;
    let preview = state.billing.preview_change(&of.account, subscription.as_ref(), &wish).await?;
    json(&ChangePreviewResponse::from(&preview))
}

/// Change the subscription
///
/// A larger plan is paid for at once, and refused if the payment fails.
/// A smaller plan, fewer seats, or monthly instead of yearly wait for the end of the period, unless the catalog says
/// `downgrade = "at_once"`.
/// Until then, a new change replaces the one that waits, and it can be withdrawn.
/// A change from monthly to yearly takes effect at once, whatever the year costs.
/// A change to what the subscription already is withdraws one that waits; its preview is `nothing_to_change`, since it
/// costs and gives nothing.
/// Credits and features follow when Stripe reports the change and its payment.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/subscription/change", operation_id = "change_subscription",
    tag = "Billing", params(("account" = Id, Path)), request_body = ChangeSubscriptionRequest,
    responses(
        (status = 202, description = "Done at Stripe.", body = SubscriptionRequested),
        Problems<(AskingStripe, Changing, PreviewExpired, TooManyCheckouts)>,
    )
)]
pub async fn change(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    key: IdempotencyHeader,
    Json(order): Json<ChangeSubscriptionRequest>,
) -> Result<Response<Body>, Failure> {
    let subscription = order.subscription.clone();
    let wish = order.into_wish()?;
    amend(&state, of, key, subscription, AmendmentRequest::Change(wish)).await
}

/// See the change that waits
///
/// What the subscription changes to when its period ends, whether this was requested here or on Stripe's customer
/// portal.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/subscription/change", operation_id = "get_pending_change",
    tag = "Billing", params(("account" = Id, Path), SubscriptionQuery),
    responses(
        (status = 200, description = "As Stripe has it now.", body = PendingChange),
        Problems<(AskingStripe, AccountNotFound, AccountClosed, FindingSubscription)>,
    )
)]
pub async fn pending_change(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    Query(asked): Query<SubscriptionQuery>,
) -> Result<Response<Body>, Failure> {
    let found = state.billing.pending_change(&of.account, asked.subscription.as_ref()).await?;
    json(&PendingChange { subscription: &found.0, pending: found.1.as_ref().map(PendingOffer::from) })
}

/// Withdraw the change that waits
///
/// The subscription stays as it is, even if the change was made on Stripe's customer portal.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/subscription/change/withdraw", operation_id = "withdraw_change",
    tag = "Billing", params(("account" = Id, Path)), request_body = Option<SubscriptionRequest>,
    responses(
        (status = 202, description = "Done at Stripe.", body = SubscriptionRequested),
        Problems<(AskingStripe, Amending, TooManyCheckouts)>,
    )
)]
pub async fn withdraw_change(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    key: IdempotencyHeader,
    JsonOrNothing(order): JsonOrNothing<SubscriptionRequest>,
) -> Result<Response<Body>, Failure> {
    amend(&state, of, key, order.subscription, AmendmentRequest::WithdrawChange).await
}

/// Cancel the subscription
///
/// At the end of the period, or now. What was paid for stays until the end of its period in both cases, and packs stay.
/// A change that waits is withdrawn, and does not come back if the cancellation is withdrawn.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/subscription/cancel", operation_id = "cancel_subscription",
    tag = "Billing", params(("account" = Id, Path)), request_body = CancelSubscriptionRequest,
    responses(
        (status = 202, description = "Done at Stripe.", body = SubscriptionRequested),
        Problems<(AskingStripe, Amending, TooManyCheckouts)>,
    )
)]
pub async fn cancel(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    key: IdempotencyHeader,
    Json(order): Json<CancelSubscriptionRequest>,
) -> Result<Response<Body>, Failure> {
    let subscription = order.subscription.clone();
    let wanted = order.into_wanted()?;
    amend(&state, of, key, subscription, wanted).await
}

/// Withdraw the cancellation
///
/// Possible as long as the subscription has not ended.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/subscription/cancel/withdraw", operation_id = "withdraw_cancellation",
    tag = "Billing", params(("account" = Id, Path)), request_body = Option<SubscriptionRequest>,
    responses(
        (status = 202, description = "Done at Stripe.", body = SubscriptionRequested),
        Problems<(AskingStripe, Amending, TooManyCheckouts)>,
    )
)]
pub async fn withdraw(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    key: IdempotencyHeader,
    JsonOrNothing(order): JsonOrNothing<SubscriptionRequest>,
) -> Result<Response<Body>, Failure> {
    amend(&state, of, key, order.subscription, AmendmentRequest::WithdrawCancellation).await
}

/// Pause the subscription
///
/// Until it is resumed, nothing is charged and no credits are granted. What was paid for stays.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/subscription/pause", operation_id = "pause_subscription",
    tag = "Billing", params(("account" = Id, Path)), request_body = Option<SubscriptionRequest>,
    responses(
        (status = 202, description = "Done at Stripe.", body = SubscriptionRequested),
        Problems<(AskingStripe, Amending, TooManyCheckouts)>,
    )
)]
pub async fn pause(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    key: IdempotencyHeader,
    JsonOrNothing(order): JsonOrNothing<SubscriptionRequest>,
) -> Result<Response<Body>, Failure> {
    amend(&state, of, key, order.subscription, AmendmentRequest::Pause).await
}

/// Resume the subscription
///
/// It is charged again from its next period on.
/// If no period was running, as after a trial without a payment method, a new period begins.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/subscription/resume", operation_id = "resume_subscription",
    tag = "Billing", params(("account" = Id, Path)), request_body = Option<SubscriptionRequest>,
    responses(
        (status = 202, description = "Done at Stripe.", body = SubscriptionRequested),
        Problems<(AskingStripe, Amending, BillingOffForAccount, TooManyCheckouts)>,
    )
)]
pub async fn resume(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    key: IdempotencyHeader,
    JsonOrNothing(order): JsonOrNothing<SubscriptionRequest>,
) -> Result<Response<Body>, Failure> {
    amend(&state, of, key, order.subscription, AmendmentRequest::Resume).await
}

/// See the next invoice
#[utoipa::path(
    get, path = "/v1/accounts/{account}/subscription/upcoming-invoice", operation_id = "get_upcoming_invoice",
    tag = "Billing", params(("account" = Id, Path), SubscriptionQuery),
    responses(
        (status = 200, description = "As Stripe would make it now.", body = UpcomingInvoiceResponse),
        Problems<(AskingStripe, AccountNotFound, AccountClosed, FindingSubscription)>,
    )
)]
pub async fn upcoming_invoice(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    Query(asked): Query<SubscriptionQuery>,
) -> Result<Response<Body>, Failure> {
    let upcoming = state.billing.upcoming_invoice(&of.account, asked.subscription.as_ref()).await?;
    let (subscription, invoice) = (&upcoming.0, upcoming.1.as_ref().map(InvoicePreviewed::from));
    json(&UpcomingInvoiceResponse { subscription, invoice })
}

async fn amend(
    state: &AppState,
    of: AccountOf<Bills>,
    key: IdempotencyHeader,
    subscription: Option<ProviderId>,
    wanted: AmendmentRequest,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let provenance = provenance(&of.caller, &of.request_id);
    let amend = Amend { account: of.account, subscription, key, wanted, provenance };
    let RepeatableAnswer { answer, replayed } = state.billing.amend(amend).await?;
    let document = SubscriptionRequested::new(&answer, state.ledger.catalog());
    answered(StatusCode::ACCEPTED, &document, replayed)
}
