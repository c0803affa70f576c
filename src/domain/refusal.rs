//! Why is a command refused? A refusal is an answer, not an error: it has no cause, is not logged as one and is not
//! retried.

use serde::Serialize;

use super::{
    amount::{Credits, Currency},
    catalog::Interval,
    credits::HoldOutcome,
    ids::{FeatureId, GenerationType, OptionName, PlanId, ProviderId},
    invoice::InvoiceState,
    limits::LimitState,
    subscription::SubscriptionState,
    subscription_change::{PlanSelection, SubscriptionAction},
    time::Timestamp,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    AccountNotFound,
    AccountClosed,
    /// What was kept elsewhere can only come with the opening.
    AccountAlreadyOpen,
    /// The customer stands for another account.
    CustomerTaken,
    /// The grants that are live now cannot pay all of it.
    InsufficientCredits {
        requested: Credits,
        available: Credits,
        held: Credits,
        debt: Credits,
        /// When more credits are due by themselves.
        next_credits_at: Option<Timestamp>,
        /// The plan above this one that gives enough in a month, or else the largest above it.
        upgrade: Option<PlanId>,
    },
    FeatureNotInPlan {
        missing: Vec<FeatureId>,
        plan: PlanId,
        /// The plans that have all that is needed, the smallest first.
        plans: Vec<PlanId>,
    },
    LimitReached {
        limit: LimitState,
        requested: u64,
        /// Every window of the plan, so that a caller sees all that is left at once.
        windows: Vec<LimitState>,
        plan: PlanId,
        /// The plans that would allow it, the smallest first.
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
    /// A sum would not fit.
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
    RefundExceedsDeduction {
        deducted: Credits,
        refunded: Credits,
        requested: Credits,
    },
    GrantAlreadyExists,
    GrantHasEnded,
    NothingOwed,
    DebtSmaller {
        debt: Credits,
    },
    /// Credits are held: an account with open holds cannot be closed.
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
    /// The catalog sells no such free amount of credits.
    TopUpOutOfBounds {
        smallest: Credits,
        largest: Credits,
    },
    /// The account has a subscription, and may have only one.
    SubscriptionActive {
        plan: PlanId,
    },
    /// There is nothing to try, or the account has tried already.
    NoTrial,
    /// The catalog lets no such amount be paid. In minor units.
    PaymentOutOfBounds {
        smallest: i64,
        largest: i64,
        currency: Currency,
    },
    /// The payment has come too far, or not far enough.
    PaymentState {
        status: String,
    },
    /// The bank holds less. In minor units.
    CaptureExceedsPayment {
        capturable: i64,
        requested: i64,
    },
    /// A part of a pack cannot be granted. In minor units.
    PartOfPack {
        price: i64,
        requested: i64,
    },
    /// Less is left of what was paid. In minor units.
    RefundExceedsPayment {
        refundable: i64,
        requested: i64,
    },
    /// The business gives no money back for packs.
    PackNotRefundable,
    /// The bank decides about the money, or has given it back already.
    PaymentDisputed,
    /// The account has never been a customer at the payment provider.
    NoCustomer,
    /// The account has no subscription that has not ended.
    NoSubscription,
    /// The account has no subscription with this id.
    SubscriptionNotFound,
    /// One of these has to be named.
    SeveralSubscriptions {
        subscriptions: Vec<ProviderId>,
    },
    /// The subscription is in no state for this.
    SubscriptionState {
        step: SubscriptionAction,
        terms: Box<SubscriptionState>,
        /// What it is in a state for.
        allowed: Vec<SubscriptionAction>,
    },
    /// An earlier change of the running period is not paid.
    ChangeUnpaid {
        invoice: ProviderId,
        state: InvoiceState,
    },
    /// It is so already.
    NothingToChange {
        /// What the payment provider has, if something else was asked to be that. It may not be paid.
        held: Option<PlanSelection>,
    },
    /// The price that was shown does not hold any more.
    PreviewExpired {
        /// The earliest date that can be asked for now.
        oldest: Timestamp,
    },
}

impl Refusal {
    /// Without the plans that would help: they are for nobody who can buy nothing.
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

/// Why is something not for sale that the catalog knows?
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unsold {
    /// It has no price: it is what everybody has who pays for nothing.
    NoPrice,
    /// It has a price for another interval.
    Interval { intervals: Vec<Interval> },
    /// It was sold once.
    Retired,
    /// The catalog sells no free amount of credits.
    NoTopUp,
    /// Nobody has said which price at the payment provider it is sold at.
    NoPriceId {
        /// The setting that would name it.
        setting: Option<String>,
    },
}
