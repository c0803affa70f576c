//! Why is a command refused? A refusal is an answer, not an error: it has no cause, is not logged as one and is not
//! retried.

use serde::Serialize;

use super::{
    amount::{Credits, Currency},
    credits::HoldOutcome,
    ids::{DeductionId, FeatureId, GenerationType, OptionName, PlanId, ProviderId},
    invoice::InvoiceState,
    limits::LimitState,
    requested::{PlanSelection, SubscriptionAction},
    subscription::SubscriptionState,
    time::Timestamp,
    unsold::Unsold,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    AccountNotFound,
    AccountClosed,
    /// An account can only be imported when it opens.
    AccountAlreadyOpen,
    /// The customer is linked to another account.
    CustomerTaken,
    /// The grants that are live now cannot pay all of it.
    InsufficientCredits {
        requested: Credits,
        available: Credits,
        held: Credits,
        debt: Credits,
        /// When the next credits are due.
        next_credits_at: Option<Timestamp>,
        /// The smallest plan above this one that gives enough credits a month, or else the largest above it.
        upgrade: Option<PlanId>,
    },
    FeatureNotInPlan {
        missing: Vec<FeatureId>,
        plan: PlanId,
        /// The plans that have all required features, smallest first.
        plans: Vec<PlanId>,
    },
    LimitReached {
        limit: LimitState,
        requested: u64,
        /// All windows of the plan, so that a caller sees at once what is left in each.
        windows: Vec<LimitState>,
        plan: PlanId,
        /// The plans that would allow it, smallest first.
        plans: Vec<PlanId>,
    },
    UnknownGenerationType {
        known: Vec<GenerationType>,
    },
    UnknownOption {
        option: OptionName,
        known: Vec<OptionName>,
    },
    UnknownOptionValue {
        option: OptionName,
        known: Vec<OptionName>,
    },
    /// A sum would be too large.
    AmountTooLarge,
    HoldNotFound,
    HoldAlreadyResolved {
        outcome: HoldOutcome,
    },
    HoldTooLong {
        expires_in_s_max: i64,
    },
    CommitExceedsHold {
        held: Credits,
        requested: Credits,
    },
    /// Less is left of the hold.
    AmountExceedsHold {
        left: Credits,
        requested: Credits,
    },
    /// One refund cannot include so many deductions of one generation.
    TooManyDeductions {
        deductions_max: usize,
    },
    RefundExceedsDeduction {
        deducted: Credits,
        refunded: Credits,
        requested: Credits,
    },
    /// A deduction has so many refunds that only all of the rest can be refunded.
    TooManyRefunds {
        deduction: DeductionId,
        refunds_max: usize,
    },
    /// So many refunds were recorded since the deductions were read that they have to be read again.
    RefundsOutdated,
    GrantAlreadyExists,
    GrantHasEnded,
    NothingOwed,
    DebtSmaller {
        debt: Credits,
    },
    /// An account with open holds cannot be closed.
    HoldsOpen {
        held: Credits,
    },
    UnknownPlan {
        plan: PlanId,
    },
    UnknownPack,
    /// Nothing is sold to this account.
    BillingOff,
    NotForSale(Unsold),
    /// The catalog does not sell this number of credits.
    TopUpOutOfBounds {
        smallest: Credits,
        largest: Credits,
    },
    /// The account has a subscription, and may have only one.
    SubscriptionActive {
        plan: PlanId,
    },
    /// The plan has no trial, or the account has had one.
    NoTrial,
    /// The catalog does not allow a payment of this amount. In minor units.
    PaymentOutOfBounds {
        smallest: i64,
        largest: i64,
        currency: Currency,
    },
    /// The payment is in a state in which this is not possible.
    PaymentState {
        status: String,
    },
    /// Less is authorised. In minor units.
    CaptureExceedsPayment {
        capturable: i64,
        requested: i64,
    },
    /// A part of a pack cannot be granted. In minor units.
    PartOfPack {
        price: i64,
        requested: i64,
    },
    /// Less is left to refund. In minor units.
    RefundExceedsPayment {
        refundable: i64,
        requested: i64,
    },
    /// The business does not refund packs.
    PackNotRefundable,
    /// The payment is disputed: the bank decides about the money, or has already returned it.
    PaymentDisputed,
    /// The account has never had a customer at the payment provider.
    NoCustomer,
    /// All subscriptions of the account have ended, or it has none.
    NoSubscription,
    /// The account has no subscription with this id.
    SubscriptionNotFound,
    /// The request has to name one of these subscriptions.
    SeveralSubscriptions {
        subscriptions: Vec<ProviderId>,
    },
    /// The subscription's state does not allow this.
    SubscriptionState {
        step: SubscriptionAction,
        terms: Box<SubscriptionState>,
        /// What the state allows.
        allowed: Vec<SubscriptionAction>,
    },
    /// An earlier change of the running period is not paid.
    ChangeUnpaid {
        invoice: ProviderId,
        state: InvoiceState,
    },
    /// The subscription is already as requested.
    NothingToChange {
        /// The subscription as it is at the payment provider, if that differs from what the account has.
        /// It may be unpaid.
        held: Option<PlanSelection>,
    },
    /// The price that was shown is no longer valid.
    PreviewExpired {
        /// The earliest date that can be asked for now.
        oldest: Timestamp,
    },
}

impl Refusal {
    /// Whether the same command may be allowed at another time, since credits, plans and limits begin and end.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::InsufficientCredits { .. } | Self::FeatureNotInPlan { .. } | Self::LimitReached { .. }
        )
    }

    /// Without the plans that would help, for an account that cannot buy any.
    #[must_use]
    pub fn without_offers(mut self) -> Self {
        if let Self::InsufficientCredits { upgrade, .. } = &mut self {
            *upgrade = None;
        }
        if let Self::FeatureNotInPlan { plans, .. } | Self::LimitReached { plans, .. } = &mut self {
            plans.clear();
        }
        self
    }
}
