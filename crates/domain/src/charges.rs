//! How much may be charged, captured and refunded? These rules are checked before the payment provider is called.

use super::{
    account::{Account, OpenAccount},
    amount::{Credits, Money},
    catalog::{Catalog, Pack, PackRefunds},
    ids::{PackId, ProviderId},
    payments::DisputeState,
    refusal::Refusal,
    rollout::BillingState,
    sold_pack::SoldPack,
    top_up,
};

/// What is to be paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payable {
    Pack {
        pack: PackId,
        quantity: u32,
    },
    /// Any number of credits.
    Credits(Credits),
    /// Something that the ledger does not sell, in minor units of the catalog's currency. It gives no credits.
    Amount(i64),
}

/// What is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub money: Money,
    /// Whether the money is taken as soon as the bank agrees, and not only authorised.
    pub automatic_capture: bool,
}

/// A payment, as the provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub status: PaymentStatus,
    /// All three amounts are in minor units.
    pub amount: i64,
    pub capturable: i64,
    pub received: i64,
    pub refunded: i64,
    /// The pack that is paid for.
    pub pack: Option<PackId>,
}

/// How far a payment has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
    /// A status that this program does not know.
    Other(String),
}

/// How much of an authorised payment is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    pub minor: i64,
    /// How many packs this amount pays for.
    pub packs: Option<u32>,
}

impl PaymentStatus {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let known = [
            Self::RequiresPaymentMethod,
            Self::RequiresConfirmation,
            Self::RequiresAction,
            Self::Processing,
            Self::RequiresCapture,
            Self::Canceled,
            Self::Succeeded,
        ];
        let found = known.into_iter().find(|status| status.as_str() == text);
        found.unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Canceled => "canceled",
            Self::Succeeded => "succeeded",
            Self::Other(text) => text,
        }
    }

    fn refuse(&self) -> Refusal {
        Refusal::PaymentState { status: self.as_str().to_owned() }
    }
}

/// What is charged for `payable`.
///
/// # Errors
/// If the account is not open, nothing is sold to it, the catalog has no such pack, or the amount is outside of the
/// catalog's bounds.
pub fn charge(
    account: &Account,
    catalog: &Catalog,
    billing: BillingState,
    payable: &Payable,
) -> Result<Charge, Refusal> {
    account.require_open()?;
    billing.check()?;
    let money = match payable {
        Payable::Pack { pack, quantity } => {
            let pack = catalog.pack(pack).ok_or(Refusal::UnknownPack)?;
            price(pack.offer().map_err(Refusal::NotForSale)?, *quantity)
        }
        Payable::Credits(credits) => Some(SoldPack::of_credits(catalog, *credits)?.price),
        Payable::Amount(minor) => Some(Money { minor: *minor, currency: catalog.currency.clone() }),
    };
    let money = in_bounds(catalog, money)?;
    Ok(Charge { money, automatic_capture: catalog.payments.automatic_capture })
}

/// The amount, if it is within the catalog's bounds for one payment.
pub(super) fn in_bounds(catalog: &Catalog, money: Option<Money>) -> Result<Money, Refusal> {
    let (smallest, largest) = (catalog.payments.minor_min, catalog.payments.minor_max);
    let money = money.filter(|money| (smallest..=largest).contains(&money.minor));
    money.ok_or_else(|| Refusal::PaymentOutOfBounds { smallest, largest, currency: catalog.currency.clone() })
}

/// The price of `quantity` packs. `None`: more than an amount can hold.
pub(super) fn price(pack: &Pack, quantity: u32) -> Option<Money> {
    let minor = pack.price.minor.checked_mul(i64::from(quantity))?;
    Some(Money { minor, currency: pack.price.currency.clone() })
}

/// Whether the customer is, or was, linked to this account.
#[must_use]
pub fn is_of(account: &OpenAccount, customer: Option<&str>) -> bool {
    let customer = customer.and_then(|customer| ProviderId::parse(customer).ok());
    customer.is_some_and(|customer| account.customers.contains_key(&customer))
}

/// Whether the payment may be confirmed, which sends it to the bank.
///
/// # Errors
/// If it was confirmed before, or is over.
pub fn confirm(payment: &Payment) -> Result<(), Refusal> {
    match payment.status {
        PaymentStatus::RequiresPaymentMethod
        | PaymentStatus::RequiresConfirmation
        | PaymentStatus::RequiresAction => Ok(()),
        PaymentStatus::Processing
        | PaymentStatus::RequiresCapture
        | PaymentStatus::Canceled
        | PaymentStatus::Succeeded
        | PaymentStatus::Other(_) => Err(payment.status.refuse()),
    }
}

/// Whether the payment may be cancelled. A payment that succeeded is refunded instead.
///
/// # Errors
/// If it is over, or the bank is processing it.
pub fn cancel(payment: &Payment) -> Result<(), Refusal> {
    match payment.status {
        PaymentStatus::RequiresPaymentMethod
        | PaymentStatus::RequiresConfirmation
        | PaymentStatus::RequiresAction
        | PaymentStatus::RequiresCapture => Ok(()),
        PaymentStatus::Processing
        | PaymentStatus::Canceled
        | PaymentStatus::Succeeded
        | PaymentStatus::Other(_) => Err(payment.status.refuse()),
    }
}

/// How much of an authorised payment is captured: all of it, or `wanted` minor units.
/// A payment for packs can only be captured in whole packs, since nothing less can be granted.
///
/// # Errors
/// If nothing or less is authorised, or the amount would pay for a part of a pack.
pub fn capture(catalog: &Catalog, payment: &Payment, wanted: Option<i64>) -> Result<Capture, Refusal> {
    if payment.status != PaymentStatus::RequiresCapture {
        return Err(payment.status.refuse());
    }
    let minor = wanted.unwrap_or(payment.capturable);
    if !(1..=payment.capturable).contains(&minor) {
        return Err(Refusal::CaptureExceedsPayment { capturable: payment.capturable, requested: minor });
    }
    // The whole amount pays for as many packs as were ordered, whatever they cost today.
    let Some(pack) = payment.pack.as_ref().filter(|_| minor != payment.amount) else {
        return Ok(Capture { minor, packs: None });
    };
    let price = if pack.as_str() == top_up::PACK {
        payment.amount
    } else {
        catalog.terms_of_pack(pack).ok_or(Refusal::UnknownPack)?.price.minor
    };
    let whole = minor.checked_rem(price) == Some(0);
    let packs = minor.checked_div(price).filter(|_| whole).and_then(|packs| u32::try_from(packs).ok());
    match packs {
        Some(packs) => Ok(Capture { minor, packs: Some(packs) }),
        None => Err(Refusal::PartOfPack { price, requested: minor }),
    }
}

/// Whether a payment's money can be refunded by the business.
///
/// # Errors
/// If it is disputed, or the bank has already returned it.
pub fn check_undisputed(account: &OpenAccount, payment: &ProviderId) -> Result<(), Refusal> {
    let payments = &account.payments;
    let mut disputes = payments.disputes_of(payments.bought_by(payment));
    let is_disputed = disputes.any(|(_, dispute)| match dispute.state {
        DisputeState::Open | DisputeState::Lost => dispute.payment == *payment,
        DisputeState::Won => false,
    });
    if is_disputed { Err(Refusal::PaymentDisputed) } else { Ok(()) }
}

/// How many minor units are refunded: all that is left, or `wanted`.
///
/// # Errors
/// If less is left, or the business does not refund packs.
pub fn refund(catalog: &Catalog, payment: &Payment, wanted: Option<i64>) -> Result<i64, Refusal> {
    if payment.pack.is_some() && catalog.payments.pack_refunds == PackRefunds::Refused {
        return Err(Refusal::PackNotRefundable);
    }
    let refundable = payment.received.saturating_sub(payment.refunded).max(0);
    let minor = wanted.unwrap_or(refundable);
    if (1..=refundable).contains(&minor) {
        return Ok(minor);
    }
    Err(Refusal::RefundExceedsPayment { refundable, requested: minor })
}
