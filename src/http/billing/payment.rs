//! What does a request about a payment have in its body, and what is answered?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::{Currency, Money},
        charges::{Payable, PaymentStatus},
        ids::{PackId, ProviderId},
        metadata::Metadata,
        time::Timestamp,
    },
    http::{
        failure::Failure,
        reads::money::PaymentKind,
        request::{Amount, Pairs, word_or_nothing},
        schema::{Id, MoneySchema, Time},
    },
    projections::payments::ReportedPaymentRow,
    stripe::{
        client::{Reason, StripePayment, StripeRefund, declines},
        outbound::Confirmation,
    },
};

use super::{inputs::check_quantity, web_url::WebUrl};

/// What to pay for: a `pack` with its `quantity`, a number of `credits`, or an `amount` for something that the catalog
/// does not sell.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "pack": "pack_500", "quantity": 2 }))]
pub struct CreatePaymentRequest {
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pack: Option<PackId>,
    /// How many packs; 1 if left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10000)]
    quantity: Option<u32>,
    /// How many credits, if the catalog sells any number of them.
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    credits: Option<Amount>,
    /// In minor units of the catalog's currency. It gives no credits.
    #[serde(default)]
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// The caller's own name for it, such as the number of an order. It is stored at Stripe.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub reference: Option<ProviderId>,
    /// Also stored at Stripe.
    #[serde(default)]
    pub metadata: Pairs,
}

impl CreatePaymentRequest {
    pub fn payable(&self) -> Result<Payable, Failure> {
        let quantity = self.quantity.unwrap_or(1);
        check_quantity(quantity)?;
        let once = || match self.quantity {
            Some(_) => Err(Failure::body("$.quantity", "it can only be sent with `pack`")),
            None => Ok(()),
        };
        match (&self.pack, self.credits, self.amount) {
            (Some(pack), None, None) => Ok(Payable::Pack { pack: pack.clone(), quantity }),
            (None, Some(credits), None) => once().map(|()| Payable::Credits(credits.credits())),
            (None, None, Some(amount)) => once().map(|()| Payable::Amount(amount)),
            _ => Err(Failure::body("$", "exactly one of `pack`, `credits` and `amount` is needed")),
        }
    }
}

/// How the payment is made, and whether the person is present.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "payment_method": "pm_1", "return_url": "https://example.com/paid" }))]
pub struct ConfirmPaymentRequest {
    /// The customer's default payment method if left out.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    payment_method: Option<ProviderId>,
    /// Where the person returns to from a page of their bank.
    #[serde(default)]
    return_url: Option<WebUrl>,
    /// Whether the person is absent. A bank that requires authentication then declines.
    #[serde(default)]
    off_session: bool,
}

impl ConfirmPaymentRequest {
    pub fn into_confirmation(self) -> Result<Confirmation, Failure> {
        let (method, return_url) = (self.payment_method, self.return_url.map(String::from));
        match (&return_url, self.off_session) {
            (Some(_), false) | (None, true) => Ok(Confirmation { method, return_url }),
            (Some(_), true) => Err(Failure::body(
                "$.return_url",
                "it cannot be sent with `off_session`, since the person is absent",
            )),
            (None, false) => Err(Failure::body(
                "$.return_url",
                "a URL is needed, to which the person returns from the bank's page; or send `off_session` if the person is absent",
            )),
        }
    }
}

/// How much of an authorised payment is captured.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 600 }))]
pub struct CapturePaymentRequest {
    /// In minor units; all of it if left out. A payment for packs is captured in whole packs.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub amount: Option<i64>,
}

/// # Errors
/// If the amount is 0 or negative.
pub fn positive(amount: Option<i64>) -> Result<Option<i64>, Failure> {
    match amount {
        Some(..1) => Err(Failure::body("$.amount", "at least 1 is expected, in minor units")),
        amount => Ok(amount),
    }
}

/// Why a payment is cancelled.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "requested_by_customer" }))]
pub struct CancelPaymentRequest {
    #[serde(default, deserialize_with = "word_or_nothing")]
    pub reason: Option<Reason>,
}

/// How much is refunded, and why.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 600, "reason": "requested_by_customer" }))]
pub struct RefundPaymentRequest {
    /// In minor units; all that is left if left out.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub amount: Option<i64>,
    #[serde(default, deserialize_with = "word_or_nothing")]
    pub reason: Option<Reason>,
}

/// A payment, as Stripe has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment, example = json!({
    "payment": "pi_1", "status": "requires_action", "next_step": "authenticate",
    "amount": { "minor": 1200, "currency": "usd" }, "capturable": 0, "received": 0, "refunded": 0,
    "type": "pack", "invoice": null, "subscription": null, "plan": null,
    "pack": "pack_500", "quantity": 2, "credits": null, "reference": null, "metadata": {}, "payment_method": "pm_1",
    "client_secret": "pi_1_secret_2", "redirect_url": "https://hooks.stripe.com/3d_secure",
    "decline_code": null, "is_disputed": false, "receipt_url": null, "created_at": "2025-06-01T00:00:00Z",
}))]
pub struct PaymentDocument<'a> {
    #[schema(value_type = Id)]
    payment: &'a str,
    /// Stripe's status: `requires_payment_method`, `requires_confirmation`, `requires_action`, `processing`,
    /// `requires_capture`, `canceled` or `succeeded`.
    status: &'a str,
    /// What to do next: `choose_method`, `confirm`, `authenticate`, `wait`, `capture` or `none`; after a decline what
    /// the person can do about it, as in a problem.
    next_step: &'static str,
    #[schema(value_type = MoneySchema)]
    amount: Option<Money>,
    /// How much can be captured, in minor units, as are the next two.
    capturable: i64,
    received: i64,
    refunded: i64,
    /// `subscription`, `pack`, or `plain` for something that the catalog does not sell.
    /// `null`: Stripe does not say, and has not reported it yet.
    r#type: Option<&'a str>,
    /// The invoice that it paid, as far as Stripe has reported it, and what that was for.
    #[schema(value_type = Option<Id>)]
    invoice: Option<&'a str>,
    #[schema(value_type = Option<Id>)]
    subscription: Option<&'a str>,
    #[schema(value_type = Option<Id>)]
    plan: Option<&'a str>,
    #[schema(value_type = Option<Id>)]
    pack: Option<&'a str>,
    /// How many packs.
    quantity: Option<i64>,
    /// If a number of credits was bought, for which `pack` is `credits`.
    credits: Option<u64>,
    #[schema(value_type = Option<Id>)]
    reference: Option<&'a str>,
    /// As it was sent.
    #[schema(value_type = Pairs)]
    metadata: Metadata,
    #[schema(value_type = Option<Id>)]
    payment_method: Option<&'a str>,
    /// For the person's browser only. Absent if it is no longer needed, and in lists.
    client_secret: Option<&'a str>,
    /// The bank's page, on which the person authenticates.
    redirect_url: Option<&'a str>,
    /// Why the last attempt was declined: Stripe's code.
    decline_code: Option<&'a str>,
    is_disputed: bool,
    receipt_url: Option<&'a str>,
    #[schema(value_type = Option<Time>)]
    created_at: Option<Timestamp>,
}

impl<'a> PaymentDocument<'a> {
    /// A payment, with what Stripe has reported of it.
    pub fn of(seen: &'a StripePayment, told: Option<&'a ReportedPaymentRow>) -> Self {
        let sold = seen.text("topup_code").or_else(|| told.and_then(|told| told.pack.as_deref()));
        let said = match seen.text("kind") {
            Some("payment") => Some(PLAIN),
            _ => sold.map(|_| PaymentKind::Pack.name()),
        };
        let (charge, failure) = (seen.latest_charge.as_ref(), seen.last_payment_error.as_ref());
        let status = PaymentStatus::parse(&seen.status);
        let currency = Currency::parse(&seen.currency).ok();
        let page = seen.next_action.as_ref().and_then(|action| action.redirect_to_url.as_ref());
        Self {
            payment: &seen.id,
            status: &seen.status,
            next_step: next_step(&status, seen),
            amount: currency.map(|currency| Money { minor: seen.amount, currency }),
            capturable: seen.amount_capturable,
            received: seen.amount_received,
            refunded: charge.map_or(0, |charge| charge.amount_refunded),
            r#type: told.and_then(|told| told.kind.as_deref()).or(said),
            invoice: told.and_then(|told| told.invoice.as_deref()),
            subscription: told.and_then(|told| told.subscription.as_deref()),
            plan: told.and_then(|told| told.plan.as_deref()),
            pack: sold,
            quantity: seen
                .text("quantity")
                .and_then(|quantity| quantity.parse().ok())
                .or_else(|| told.and_then(|told| told.quantity)),
            credits: seen.text("topup_credits").and_then(|credits| credits.parse().ok()),
            reference: seen.text("reference"),
            metadata: Metadata::read(|name| seen.text(name)),
            payment_method: seen.payment_method.as_deref(),
            client_secret: seen.client_secret.as_deref().filter(|_| waits_for_person(&status)),
            redirect_url: page.and_then(|page| page.url.as_deref()),
            decline_code: failure.and_then(|failure| failure.decline_code.as_deref()),
            is_disputed: charge.is_some_and(|charge| charge.disputed),
            receipt_url: charge.and_then(|charge| charge.receipt_url.as_deref()),
            created_at: Timestamp::from_seconds(seen.created),
        }
    }

    /// A payment in a list: without what only a browser needs.
    pub fn listed(seen: &'a StripePayment, told: Option<&'a ReportedPaymentRow>) -> Self {
        Self { client_secret: None, redirect_url: None, ..Self::of(seen, told) }
    }
}

/// The type of a payment that gives nothing here.
const PLAIN: &str = "plain";

fn next_step(status: &PaymentStatus, seen: &StripePayment) -> &'static str {
    match (status, &seen.last_payment_error) {
        (PaymentStatus::RequiresPaymentMethod, Some(failure)) => {
            declines::remedy(failure.decline_code.as_deref(), failure.code.as_deref()).as_str()
        }
        (PaymentStatus::RequiresPaymentMethod, None) => "choose_method",
        (PaymentStatus::RequiresConfirmation, _) => "confirm",
        (PaymentStatus::RequiresAction, _) => "authenticate",
        (PaymentStatus::Processing | PaymentStatus::Other(_), _) => "wait",
        (PaymentStatus::RequiresCapture, _) => "capture",
        (PaymentStatus::Canceled | PaymentStatus::Succeeded, _) => "none",
    }
}

const fn waits_for_person(status: &PaymentStatus) -> bool {
    match status {
        PaymentStatus::RequiresPaymentMethod
        | PaymentStatus::RequiresConfirmation
        | PaymentStatus::RequiresAction => true,
        PaymentStatus::Processing
        | PaymentStatus::RequiresCapture
        | PaymentStatus::Canceled
        | PaymentStatus::Succeeded
        | PaymentStatus::Other(_) => false,
    }
}

#[derive(Serialize, ToSchema)]
pub struct PaymentsResponse<'a> {
    pub payments: Vec<PaymentDocument<'a>>,
    #[schema(value_type = Option<Id>)]
    pub next_cursor: Option<&'a str>,
}

/// A refund. The credits that the money had bought are taken back when Stripe reports it.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentRefund, example = json!({
    "refund": "re_1", "payment": "pi_1", "amount": { "minor": 600, "currency": "usd" }, "status": "succeeded",
    "created_at": "2025-06-01T00:00:00Z",
}))]
pub struct RefundDocument<'a> {
    #[schema(value_type = Id)]
    refund: &'a str,
    #[schema(value_type = Id)]
    payment: &'a str,
    #[schema(value_type = MoneySchema)]
    amount: Option<Money>,
    /// Stripe's status at the time of the request, such as `pending` or `succeeded`.
    status: Option<&'a str>,
    #[schema(value_type = Option<Time>)]
    created_at: Option<Timestamp>,
}

impl<'a> RefundDocument<'a> {
    pub fn of(payment: &'a str, seen: &'a StripeRefund) -> Self {
        let currency = Currency::parse(&seen.currency).ok();
        Self {
            refund: &seen.id,
            payment,
            amount: currency.map(|currency| Money { minor: seen.amount, currency }),
            status: seen.status.as_deref(),
            created_at: Timestamp::from_seconds(seen.created),
        }
    }
}
