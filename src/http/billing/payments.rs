//! How does a front end with pages of its own take money, and give it back? Routes that make, confirm, capture, call
//! off and refund payments, and show them.

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
    projections::payments,
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

/// The payment in the address.
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
/// No money is taken before it is confirmed: in the person's browser with the `client_secret`, or by this API. What it
/// buys is granted when Stripe reports that it is paid.
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
    // Stripe was told just now what it is for.
    answered(StatusCode::CREATED, &PaymentDocument::of(&answer, None), replayed)
}

/// List payments
///
/// The newest first, as Stripe shows them now: those of invoices and of pages at Stripe, too.
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
    let told = payments::told(&state.pool, &of.account, &ids).await?;
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
    let told = payments::told(&state.pool, &of.account, &[payment.as_str()]).await?;
    json(&PaymentDocument::of(&seen, told.first()))
}

/// Pay
///
/// A bank that wants to ask the person is no error: `status` is `requires_action` then, and the browser goes on with
/// the `client_secret` or to `redirect_url`. A bank that says no is: `stripe_declined`, with what the person can do
/// next.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/payments/{payment}/confirm", operation_id = "confirm_payment",
    tag = "Payments", params(("account" = Id, Path), ("payment" = Id, Path)), request_body = ConfirmPaymentRequest,
    responses(
        (status = 200, description = "The bank was asked.", body = PaymentDocument),
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

/// Take what the bank holds
///
/// Where the catalog says `automatic_capture = false`. Wholly or in part; the rest is let go.
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

/// Call a payment off
///
/// What the bank holds is let go. Money that was taken is given back by a refund instead.
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

/// Give money back
///
/// Wholly or in part. The credits that it had bought are taken back by the same share, when Stripe reports it.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/payments/{payment}/refunds", operation_id = "refund_payment",
    tag = "Payments", params(("account" = Id, Path), ("payment" = Id, Path)),
    request_body = Option<RefundPaymentRequest>,
    responses(
        (status = 201, description = "On its way.", body = RefundDocument),
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

async fn changed(
    state: &AppState,
    account: &AccountId,
    RepeatableAnswer { answer, replayed }: &RepeatableAnswer<StripePayment>,
) -> Result<Response<Body>, Failure> {
    let told = payments::told(&state.pool, account, &[answer.id.as_str()]).await?;
    answered(StatusCode::OK, &PaymentDocument::of(answer, told.first()), *replayed)
}
