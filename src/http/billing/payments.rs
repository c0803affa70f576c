//! How does a front end with pages of its own take and refund money?
//! These routes make, confirm, capture, cancel, refund and show payments.

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{Response, StatusCode, request::Parts},
};

use crate::{
    domain::ids::{AccountId, ProviderId},
    http::{
        AppState,
        failure::Failure,
        openapi::{Input, Problems},
        problems::{
            AccountNotFound, AskingStripe, BillingOffForAccount, CaptureExceedsPayment, CustomerTaken,
            NotForSale, PackNotRefundable, PartOfPack, PaymentDisputed, PaymentMethodNotFound,
            PaymentNotFound, PaymentOutOfBounds, PaymentState, RefundExceedsPayment, TopUpOutOfBounds,
            UnknownPack,
        },
        request::{AccountOf, Bills, IdempotencyHeader, Json, JsonOrNothing, Query, parameter, provenance},
        response::json,
        schema::Id,
    },
    projections::payments::{self, ReportedPaymentRow},
    stripe::{
        client::StripePayment,
        outbound::{PaymentOf, PaymentOrder, RepeatableAnswer},
    },
};

use super::{
    answered,
    page::BillingPageQuery,
    payment::{
        CancelPaymentRequest, CapturePaymentRequest, ConfirmPaymentRequest, CreatePaymentRequest,
        PaymentDocument, PaymentsResponse, RefundDocument, RefundPaymentRequest, positive,
    },
};

/// The payment in the path.
pub struct PaymentPath(ProviderId);

impl Input for PaymentPath {}

impl<S: Send + Sync> FromRequestParts<S> for PaymentPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = parameter(parts, state, "payment").await?;
        ProviderId::parse(&text).map(Self).map_err(|error| Failure::address("payment", error.to_string()))
    }
}

/// Make a payment
///
/// No money is taken before the payment is confirmed: in the person's browser with the `client_secret`, or over this
/// API.
/// What it buys is granted when Stripe reports that it is paid.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/payments", operation_id = "create_payment", tag = "Payments",
    params(("account" = Id, Path)), request_body = CreatePaymentRequest,
    responses(
        (status = 201, description = "Made.", body = PaymentDocument),
        Problems<(
            AskingStripe, CustomerTaken, UnknownPack, NotForSale, BillingOffForAccount, PaymentOutOfBounds,
            TopUpOutOfBounds,
        )>,
    )
)]
pub async fn create(
    State(state): State<AppState>,
    to: AccountOf<Bills>,
    key: IdempotencyHeader,
    Json(input): Json<CreatePaymentRequest>,
) -> Result<Response<Body>, Failure> {
    let (key, payable) = (key.required()?, input.payable()?);
    let (account, reference, metadata) = (to.account, input.reference, input.metadata.0);
    let provenance = provenance(&to.caller, &to.request_id);
    let order = PaymentOrder { account, key, payable, reference, metadata, provenance };
    let RepeatableAnswer { answer, replayed } = state.billing.make_payment(order).await?;
    // Stripe has just been sent what the payment is for, so no report is needed.
    answered(StatusCode::CREATED, &PaymentDocument::of(&answer, None), replayed)
}

/// List payments
///
/// The newest first, as Stripe has them now, including payments of invoices and of checkout pages.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/payments", operation_id = "list_payments", tag = "Payments",
    params(("account" = Id, Path), BillingPageQuery),
    responses(
        (status = 200, description = "Payments.", body = PaymentsResponse),
        Problems<(AskingStripe, AccountNotFound)>,
    )
)]
pub async fn list(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    Query(asked): Query<BillingPageQuery>,
) -> Result<Response<Body>, Failure> {
    let page = state.billing.list_payments(&of.account, asked.limit.page(asked.cursor)).await?;
    let ids: Vec<&str> = page.payments.iter().map(|payment| payment.id.as_str()).collect();
    let told = told(&state, &of.account, &ids).await?;
    let of_payment = |id: &str| told.iter().find(|told| told.payment == id);
    json(&PaymentsResponse {
        payments: page
            .payments
            .iter()
            .map(|payment| PaymentDocument::listed(payment, of_payment(&payment.id)))
            .collect(),
        next_cursor: page.payments.last().filter(|_| page.has_more).map(|payment| payment.id.as_str()),
    })
}

/// See a payment
#[utoipa::path(
    get, path = "/v1/accounts/{account}/payments/{payment}", operation_id = "get_payment", tag = "Payments",
    params(("account" = Id, Path), ("payment" = Id, Path)),
    responses(
        (status = 200, description = "As Stripe shows it now.", body = PaymentDocument),
        Problems<(AskingStripe, AccountNotFound, PaymentNotFound)>,
    )
)]
pub async fn get(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    PaymentPath(payment): PaymentPath,
) -> Result<Response<Body>, Failure> {
    let seen = state.billing.find_payment(&of.account, &payment).await?;
    let told = told(&state, &of.account, &[payment.as_str()]).await?;
    json(&PaymentDocument::of(&seen, told.first()))
}

/// Confirm a payment
///
/// If the bank requires authentication, the answer has the `status` `requires_action`, and the browser goes on with the
/// `client_secret` or to `redirect_url`.
/// If the bank declines, the answer is the problem `stripe_declined`, with what the person can do next.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/payments/{payment}/confirm", operation_id = "confirm_payment",
    tag = "Payments", params(("account" = Id, Path), ("payment" = Id, Path)), request_body = ConfirmPaymentRequest,
    responses(
        (status = 200, description = "The payment was confirmed.", body = PaymentDocument),
        Problems<(AskingStripe, PaymentNotFound, PaymentMethodNotFound, PaymentState, BillingOffForAccount)>,
    )
)]
pub async fn confirm(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    PaymentPath(payment): PaymentPath,
    key: IdempotencyHeader,
    Json(input): Json<ConfirmPaymentRequest>,
) -> Result<Response<Body>, Failure> {
    let (account, of) =
        (of.account.clone(), PaymentOf { account: of.account, key: key.required()?, payment });
    let done = state.billing.confirm_payment(of, input.into_confirmation()?).await?;
    changed(&state, &account, &done).await
}

/// Capture a payment
///
/// For catalogs with `automatic_capture = false`. All or a part of it; the rest is released.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/payments/{payment}/capture", operation_id = "capture_payment",
    tag = "Payments", params(("account" = Id, Path), ("payment" = Id, Path)),
    request_body = Option<CapturePaymentRequest>,
    responses(
        (status = 200, description = "Taken.", body = PaymentDocument),
        Problems<(
            AskingStripe, PaymentNotFound, PaymentState, CaptureExceedsPayment, PartOfPack, UnknownPack,
        )>,
    )
)]
pub async fn capture(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    PaymentPath(payment): PaymentPath,
    key: IdempotencyHeader,
    JsonOrNothing(input): JsonOrNothing<CapturePaymentRequest>,
) -> Result<Response<Body>, Failure> {
    let (account, of) =
        (of.account.clone(), PaymentOf { account: of.account, key: key.required()?, payment });
    let done = state.billing.capture_payment(of, positive(input.amount)?).await?;
    changed(&state, &account, &done).await
}

/// Cancel a payment
///
/// An authorisation is released. Money that was taken is refunded instead.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/payments/{payment}/cancel", operation_id = "cancel_payment",
    tag = "Payments", params(("account" = Id, Path), ("payment" = Id, Path)),
    request_body = Option<CancelPaymentRequest>,
    responses(
        (status = 200, description = "Called off.", body = PaymentDocument),
        Problems<(AskingStripe, PaymentNotFound, PaymentState)>,
    )
)]
pub async fn cancel(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    PaymentPath(payment): PaymentPath,
    key: IdempotencyHeader,
    JsonOrNothing(input): JsonOrNothing<CancelPaymentRequest>,
) -> Result<Response<Body>, Failure> {
    let (account, of) =
        (of.account.clone(), PaymentOf { account: of.account, key: key.required()?, payment });
    let done = state.billing.cancel_payment(of, input.reason).await?;
    changed(&state, &account, &done).await
}

/// Refund a payment
///
/// All or a part of it. The same share of the credits that it had bought is taken back when Stripe reports the refund.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/payments/{payment}/refunds", operation_id = "refund_payment",
    tag = "Payments", params(("account" = Id, Path), ("payment" = Id, Path)),
    request_body = Option<RefundPaymentRequest>,
    responses(
        (status = 201, description = "The refund was made.", body = RefundDocument),
        Problems<(AskingStripe, PaymentNotFound, RefundExceedsPayment, PackNotRefundable, PaymentDisputed)>,
    )
)]
pub async fn refund(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    PaymentPath(payment): PaymentPath,
    key: IdempotencyHeader,
    JsonOrNothing(input): JsonOrNothing<RefundPaymentRequest>,
) -> Result<Response<Body>, Failure> {
    let of = PaymentOf { account: of.account, key: key.required()?, payment: payment.clone() };
    let RepeatableAnswer { answer, replayed } =
        state.billing.refund_payment(of, positive(input.amount)?, input.reason).await?;
    answered(StatusCode::CREATED, &RefundDocument::of(payment.as_str(), &answer), replayed)
}

async fn told(
    state: &AppState,
    account: &AccountId,
    payments: &[&str],
) -> Result<Vec<ReportedPaymentRow>, sqlx::Error> {
    payments::told(&state.pool, state.ledger.shard_of(account), account, payments).await
}

async fn changed(
    state: &AppState,
    account: &AccountId,
    RepeatableAnswer { answer, replayed }: &RepeatableAnswer<StripePayment>,
) -> Result<Response<Body>, Failure> {
    let told = told(state, account, &[answer.id.as_str()]).await?;
    answered(StatusCode::OK, &PaymentDocument::of(answer, told.first()), *replayed)
}
