//! How much may be charged, captured and refunded? The rules are asked before the payment provider, which reports the
//! result.

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
    /// Whether the money is taken as soon as the bank agrees, and not only held.
    pub automatic_capture: bool,
}

/// A payment, as the provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub status: PaymentStatus,
    /// All in minor units.
    pub amount: i64,
    pub capturable: i64,
    pub received: i64,
    pub refunded: i64,
    /// The pack that it is for.
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
    /// One that this program does not know.
    Other(String),
}

/// What is taken of a payment that the bank holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    pub minor: i64,
    /// How many packs that pays for.
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

/// What is charged for something, if it may be.
///
/// # Errors
/// When the account is not open, nothing is sold to it, the catalog has no such pack, or the amount is none that the
/// catalog lets be paid.
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

/// The amount, if it is one that the catalog lets be paid at once.
pub(super) fn in_bounds(catalog: &Catalog, money: Option<Money>) -> Result<Money, Refusal> {
    let (smallest, largest) = (catalog.payments.minor_min, catalog.payments.minor_max);
    let money = money.filter(|money| (smallest..=largest).contains(&money.minor));
    money.ok_or_else(|| Refusal::PaymentOutOfBounds { smallest, largest, currency: catalog.currency.clone() })
}

/// `None`: more than an amount can hold.
pub(super) fn price(pack: &Pack, quantity: u32) -> Option<Money> {
    let minor = pack.price.minor.checked_mul(i64::from(quantity))?;
    Some(Money { minor, currency: pack.price.currency.clone() })
}

/// Whether a customer is, or was, this account.
#[must_use]
pub fn is_of(account: &OpenAccount, customer: Option<&str>) -> bool {
    let customer = customer.and_then(|customer| ProviderId::parse(customer).ok());
    customer.is_some_and(|customer| account.customers.contains_key(&customer))
}

/// Whether the bank may be asked.
///
/// # Errors
/// When it has been, or the payment is over.
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

/// Whether a payment may be called off. Of one that has succeeded the money is given back instead.
///
/// # Errors
/// When it is over, or the bank is at work on it.
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

/// How much is taken of what the bank holds: all of it, or what is wanted. Of packs only whole ones, since nothing less
/// can be granted.
///
/// # Errors
/// When the bank holds nothing or less, or a part of a pack would be paid.
pub fn capture(catalog: &Catalog, payment: &Payment, wanted: Option<i64>) -> Result<Capture, Refusal> {
    if payment.status != PaymentStatus::RequiresCapture {
        return Err(payment.status.refuse());
    }
    let minor = wanted.unwrap_or(payment.capturable);
    if !(1..=payment.capturable).contains(&minor) {
        return Err(Refusal::CaptureExceedsPayment { capturable: payment.capturable, requested: minor });
    }
    // All of it is as many packs as were ordered, whatever they cost today.
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

/// Whether the money of a payment is the seller's to give back.
///
/// # Errors
/// When the bank decides about it, or has given it back already.
pub fn check_undisputed(account: &OpenAccount, payment: &ProviderId) -> Result<(), Refusal> {
    let payments = &account.payments;
    let mut disputes = payments.disputes_of(payments.bought_by(payment));
    let is_disputed = disputes.any(|(_, dispute)| match dispute.state {
        DisputeState::Open | DisputeState::Lost => dispute.payment == *payment,
        DisputeState::Won => false,
    });
    if is_disputed { Err(Refusal::PaymentDisputed) } else { Ok(()) }
}

/// How much is given back: all that is left, or what is wanted.
///
/// # Errors
/// When less is left, or the business gives nothing back for packs.
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
