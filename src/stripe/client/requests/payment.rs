//! How is money taken without a checkout page, and refunded?

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use stripe_client_core::StripeRequest;
use stripe_core::{
    payment_intent::{
        CancelPaymentIntent, CancelPaymentIntentCancellationReason, CapturePaymentIntent,
        ConfirmPaymentIntent, ConfirmPaymentIntentOffSession, CreatePaymentIntent, ListPaymentIntent,
        RetrievePaymentIntent,
    },
    refund::{CreateRefund, CreateRefundReason},
};
use stripe_shared::PaymentIntentCaptureMethod;
use stripe_types::Currency;
use strum::IntoStaticStr;

use super::{
    super::{Change, StripeCall},
    of_account, of_credits, put, put_all,
};
use crate::domain::{metadata::Metadata, sold_pack::SoldPack};

/// Only the charge says what became of the money, and it is only returned if it is expanded.
const CHARGE: &str = "latest_charge";

/// Makes a payment that is not confirmed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakePayment {
    pub account: String,
    pub customer: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub automatic_capture: bool,
    pub paid_for: PaidFor,
    /// The caller's own name for it.
    pub reference: Option<String>,
    /// What the caller attached to it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// What is paid for, as `translate` reads it from metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidFor {
    Pack {
        pack: String,
        quantity: u32,
    },
    /// A chosen number of credits.
    Credits(SoldPack),
    Other,
}

/// Confirms a payment, which sends it to the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmPayment {
    pub payment: String,
    pub method: String,
    /// Where the person returns to from a page of the bank. `None`: the person is absent.
    pub return_url: Option<String>,
}

/// Captures an authorised payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturePayment {
    pub payment: String,
    pub amount: i64,
    /// How many packs the amount pays for, which may be fewer than were ordered.
    pub packs: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelPayment {
    pub payment: String,
    pub reason: Option<Reason>,
}

/// Refunds a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeRefund {
    pub payment: String,
    pub amount: i64,
    pub reason: Option<Reason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Reason {
    Duplicate,
    Fraudulent,
    RequestedByCustomer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindPayment {
    pub payment: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPayments {
    pub customer: String,
    pub limit: u8,
    pub after: Option<String>,
}

/// A payment, as Stripe has it. It is not stored.
#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripePayment {
    pub id: String,
    pub status: String,
    pub amount: i64,
    pub amount_capturable: i64,
    pub amount_received: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub payment_method: Option<String>,
    pub client_secret: Option<String>,
    /// In seconds since 1970.
    pub created: i64,
    pub cancellation_reason: Option<String>,
    pub last_payment_error: Option<PaymentFailure>,
    pub latest_charge: Option<StripeCharge>,
    pub next_action: Option<NextAction>,
    pub metadata: PaymentMetadata,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct PaymentFailure {
    pub code: Option<String>,
    pub decline_code: Option<String>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripeCharge {
    pub amount_refunded: i64,
    pub disputed: bool,
    pub receipt_url: Option<String>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct NextAction {
    pub redirect_to_url: Option<Redirect>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct Redirect {
    pub url: Option<String>,
}

/// All metadata of a payment, whoever wrote it.
pub type PaymentMetadata = BTreeMap<String, String>;

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripePayments {
    pub data: Vec<StripePayment>,
    pub has_more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct StripeRefund {
    pub id: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub status: Option<String>,
    /// In seconds since 1970.
    pub created: i64,
}

/// What is stored of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPayment {
    pub id: String,
}

impl StripePayment {
    /// One of its metadata texts.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(String::as_str)
    }
}

impl Reason {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl MakePayment {
    fn metadata(&self) -> HashMap<String, String> {
        let mut metadata = of_account(&self.account);
        match &self.paid_for {
            PaidFor::Pack { pack, quantity } => {
                put(&mut metadata, "kind", "topup");
                put(&mut metadata, "topup_code", pack);
                put(&mut metadata, "quantity", &quantity.to_string());
            }
            PaidFor::Credits(sold) => {
                of_credits(&mut metadata, sold);
                put(&mut metadata, "quantity", "1");
            }
            PaidFor::Other => put(&mut metadata, "kind", "payment"),
        }
        if let Some(reference) = &self.reference {
            put(&mut metadata, "reference", reference);
        }
        put_all(&mut metadata, &self.metadata);
        metadata
    }
}

impl StripeCall for MakePayment {
    type Answer = StripePayment;

    fn request(&self) -> impl StripeRequest + Send {
        let capture = if self.automatic_capture {
            PaymentIntentCaptureMethod::AutomaticAsync
        } else {
            PaymentIntentCaptureMethod::Manual
        };
        // The client accepts every text as a currency; Stripe checks it.
        let Ok(currency) = self.currency.parse::<Currency>();
        CreatePaymentIntent::new(self.amount, currency)
            .customer(self.customer.as_str())
            .capture_method(capture)
            .metadata(self.metadata())
            .expand([CHARGE.to_owned()])
    }
}

impl Change for MakePayment {
    fn begins_charge(&self) -> bool {
        true
    }
}

impl StripeCall for ConfirmPayment {
    type Answer = StripePayment;

    fn request(&self) -> impl StripeRequest + Send {
        let confirm = ConfirmPaymentIntent::new(self.payment.as_str())
            .payment_method(self.method.as_str())
            .expand([CHARGE.to_owned()]);
        match &self.return_url {
            Some(url) => confirm.return_url(url.as_str()),
            None => confirm.off_session(ConfirmPaymentIntentOffSession::Bool(true)),
        }
    }
}

impl Change for ConfirmPayment {
    fn begins_charge(&self) -> bool {
        true
    }
}

impl StripeCall for CapturePayment {
    type Answer = StripePayment;

    fn request(&self) -> impl StripeRequest + Send {
        let capture = CapturePaymentIntent::new(self.payment.as_str())
            .amount_to_capture(self.amount)
            .expand([CHARGE.to_owned()]);
        match self.packs {
            Some(packs) => capture.metadata(HashMap::from([("quantity".to_owned(), packs.to_string())])),
            None => capture,
        }
    }
}

impl Change for CapturePayment {
    fn begins_charge(&self) -> bool {
        // The person has agreed to the payment, and the bank has authorised it.
        false
    }
}

impl StripeCall for CancelPayment {
    type Answer = StripePayment;

    fn request(&self) -> impl StripeRequest + Send {
        let cancel = CancelPaymentIntent::new(self.payment.as_str()).expand([CHARGE.to_owned()]);
        match self.reason {
            Some(Reason::Duplicate) => {
                cancel.cancellation_reason(CancelPaymentIntentCancellationReason::Duplicate)
            }
            Some(Reason::Fraudulent) => {
                cancel.cancellation_reason(CancelPaymentIntentCancellationReason::Fraudulent)
            }
            Some(Reason::RequestedByCustomer) => {
                cancel.cancellation_reason(CancelPaymentIntentCancellationReason::RequestedByCustomer)
            }
            None => cancel,
        }
    }
}

impl Change for CancelPayment {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for MakeRefund {
    type Answer = StripeRefund;

    fn request(&self) -> impl StripeRequest + Send {
        let refund = CreateRefund::new().payment_intent(self.payment.as_str()).amount(self.amount);
        match self.reason {
            Some(Reason::Duplicate) => refund.reason(CreateRefundReason::Duplicate),
            Some(Reason::Fraudulent) => refund.reason(CreateRefundReason::Fraudulent),
            Some(Reason::RequestedByCustomer) => refund.reason(CreateRefundReason::RequestedByCustomer),
            None => refund,
        }
    }
}

impl Change for MakeRefund {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for FindPayment {
    type Answer = StripePayment;

    fn request(&self) -> impl StripeRequest + Send {
        RetrievePaymentIntent::new(self.payment.as_str()).expand([CHARGE.to_owned()])
    }
}

impl StripeCall for ListPayments {
    type Answer = StripePayments;

    fn request(&self) -> impl StripeRequest + Send {
        let list = ListPaymentIntent::new()
            .customer(self.customer.as_str())
            .limit(self.limit)
            .expand([format!("data.{CHARGE}")]);
        match &self.after {
            Some(after) => list.starting_after(after.as_str()),
            None => list,
        }
    }
}
