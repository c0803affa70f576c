//! What has happened to an account? Events are facts, in the past tense, and are never edited.
//!
//! **These names and fields are the storage format.** Adding a variant, or a field that has a default, is
//! safe. Anything else needs an upcaster (`crate::journal::upcast`), and `tests/it/contracts/` fails until
//! there is one. No event carries personal data.

mod effective;

use serde::{Deserialize, Serialize};

use super::{
    amount::{Credits, Money},
    credits::GrantTerms,
    discounts::TakenOff,
    ids::{DeductionId, GrantId, HoldId, PlanId, ProviderId},
    invoice::{PaidInvoice, UnpaidInvoice},
    limits::UsageWindow,
    metadata::Metadata,
    moving::MovedIn,
    purchase_records::SoldPack,
    requested::Requested,
    subscription::{SubscriptionState, Term},
    time::Timestamp,
};

pub use super::purpose::{Draw, PaymentPurpose, Purpose};

/// The name of the spending order that a deduction followed: see `crate::domain::credits::burn_order`.
pub const BURN_ORDER: &str = "burn/v1";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Event {
    /// The account exists from now on, on the plan that needs no subscription.
    AccountOpened {
        plan: PlanId,
        /// What it had where it was kept before. `None`: it is new.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        moved_in: Option<MovedIn>,
        effective_at: Timestamp,
    },
    /// A customer at the payment provider stands for this account.
    CustomerLinked {
        customer: ProviderId,
        effective_at: Timestamp,
    },
    /// The customer is gone at the payment provider. The ledger stays.
    CustomerUnlinked {
        customer: ProviderId,
        effective_at: Timestamp,
    },
    /// A customer has a discount from then on, for those of its subscriptions that have none of their own.
    CustomerDiscounted {
        customer: ProviderId,
        discount: ProviderId,
        /// What it takes off for ever. `None`: it passes, and takes nothing off revenue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        off: Option<TakenOff>,
        effective_at: Timestamp,
    },
    CustomerDiscountEnded {
        customer: ProviderId,
        discount: ProviderId,
        effective_at: Timestamp,
    },
    /// What the caller attaches to the account, whole.
    AccountMetadataSet {
        metadata: Metadata,
        effective_at: Timestamp,
    },
    /// Nothing more can be spent or granted.
    AccountClosed {
        reason: String,
        effective_at: Timestamp,
    },

    /// A lot of credits came to be.
    CreditsGranted {
        grant: GrantTerms,
        effective_at: Timestamp,
    },
    /// Credits were spent.
    CreditsDeducted {
        deduction_id: DeductionId,
        amount: Credits,
        /// Which grants paid, and how much each. Sums to `amount`.
        draws: Vec<Draw>,
        /// The spending order that was followed.
        order: String,
        purpose: Purpose,
        /// The windows of limits that this counts in.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        windows: Vec<UsageWindow>,
        effective_at: Timestamp,
    },
    /// Credits that had been spent came back.
    CreditsRefunded {
        deduction_id: DeductionId,
        amount: Credits,
        /// Which grants got credits back, the last that had paid first.
        returns: Vec<Draw>,
        /// Which grants would have got credits back, had they not ended. A new grant has them instead.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reissued: Vec<Draw>,
        reason: String,
        purpose: Purpose,
        /// The windows in which the deduction no longer counts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        windows: Vec<UsageWindow>,
        effective_at: Timestamp,
    },
    /// A grant reached its end with credits left.
    CreditsExpired {
        grant_id: GrantId,
        amount: Credits,
        effective_at: Timestamp,
    },
    /// An operator, or a downgrade at once, took credits away.
    CreditsAdjusted {
        amount: Credits,
        draws: Vec<Draw>,
        reason: String,
        effective_at: Timestamp,
    },
    /// Credits that a refunded or lost payment had bought were taken back.
    CreditsClawedBack {
        payment: ProviderId,
        grant_id: GrantId,
        /// What was left of the grant and is void now.
        voided: Credits,
        /// What had expired already, so that nobody has it.
        #[serde(default)]
        expired: Credits,
        /// What had been spent already and is owed now.
        owed: Credits,
        /// What had been spent already and is not asked for.
        forgiven: Credits,
        effective_at: Timestamp,
    },
    /// Credits that had been taken back came back: the refund failed, or the dispute was won after all.
    CreditsRestored {
        payment: ProviderId,
        grant_id: GrantId,
        /// What was void and can be spent again.
        restored: Credits,
        /// What had expired before it was taken back, and is expired still.
        expired: Credits,
        /// What is no longer owed.
        unowed: Credits,
        /// What had been owed and was paid by other credits. A new grant has as much.
        repaid: Credits,
        /// What had been forgiven, and need not be any more.
        unforgiven: Credits,
        effective_at: Timestamp,
    },
    /// What is left of the grant cannot be spent while its payment is disputed.
    GrantFrozen {
        grant_id: GrantId,
        dispute: ProviderId,
        effective_at: Timestamp,
    },
    GrantUnfrozen {
        grant_id: GrantId,
        dispute: ProviderId,
        effective_at: Timestamp,
    },
    /// A grant ends at another time than it said: the next month is not paid yet, or a trial was extended.
    GrantEndMoved {
        grant_id: GrantId,
        ends_at: Timestamp,
        /// What had expired by what was known before, and can be spent again.
        #[serde(default)]
        revived: Credits,
        effective_at: Timestamp,
    },
    /// A grant paid what the account owed.
    DebtPaid {
        grant_id: GrantId,
        amount: Credits,
        effective_at: Timestamp,
    },
    DebtForgiven {
        amount: Credits,
        reason: String,
        effective_at: Timestamp,
    },

    /// Credits were set aside.
    CreditsHeld {
        hold_id: HoldId,
        amount: Credits,
        draws: Vec<Draw>,
        order: String,
        purpose: Purpose,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        windows: Vec<UsageWindow>,
        expires_at: Timestamp,
        effective_at: Timestamp,
    },
    HoldExtended {
        hold_id: HoldId,
        expires_at: Timestamp,
        effective_at: Timestamp,
    },
    /// Work was done for a hold: part or all of it is spent, the rest went back.
    HoldCommitted {
        hold_id: HoldId,
        /// What was spent out of the hold.
        amount: Credits,
        draws: Vec<Draw>,
        returns: Vec<Draw>,
        /// What was asked for beyond the hold and not taken.
        #[serde(default)]
        shortfall: Credits,
        purpose: Purpose,
        effective_at: Timestamp,
    },
    HoldReleased {
        hold_id: HoldId,
        returns: Vec<Draw>,
        effective_at: Timestamp,
    },
    HoldExpired {
        hold_id: HoldId,
        returns: Vec<Draw>,
        effective_at: Timestamp,
    },

    /// A plan's period was paid for, or is free: its allocation is due, month by month.
    PeriodPaid {
        term: Term,
        effective_at: Timestamp,
    },
    /// An invoice of a subscription was paid. What its lines give and take back follows from all that is known.
    InvoicePaid {
        invoice: PaidInvoice,
        effective_at: Timestamp,
    },
    /// An invoice of a subscription is not paid: it waits for its money, or none will come.
    InvoiceUnpaid {
        invoice: UnpaidInvoice,
        effective_at: Timestamp,
    },
    TrialStarted {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    /// The trial ends soon; people are told so.
    TrialEndAnnounced {
        subscription: ProviderId,
        trial_end: Timestamp,
        effective_at: Timestamp,
    },
    SubscriptionStarted {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    /// A new period began. It is not paid yet.
    SubscriptionRenewed {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    PlanChanged {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<PlanId>,
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    PlanChangeScheduled {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    /// What the subscription brings is another amount, with the same plan: an add-on, or a discount that lasts.
    RevenueChanged {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    /// The subscription belongs to another account from now on. What it gave here stays.
    SubscriptionMoved {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    SubscriptionPastDue {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    SubscriptionRecovered {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    SubscriptionPaused {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    SubscriptionResumed {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    CancellationScheduled {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    CancellationWithdrawn {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },
    SubscriptionEnded {
        terms: SubscriptionState,
        effective_at: Timestamp,
    },

    /// Somebody asked for it over the API, and the payment provider has done it. What came of it is reported by itself.
    SubscriptionChangeRequested {
        subscription: ProviderId,
        requested: Requested,
        effective_at: Timestamp,
    },

    PaymentSucceeded {
        payment: ProviderId,
        money: Money,
        purpose: PaymentPurpose,
        effective_at: Timestamp,
    },
    PaymentFailed {
        payment: ProviderId,
        money: Money,
        purpose: PaymentPurpose,
        /// How many tries there have been.
        attempt: u32,
        effective_at: Timestamp,
    },
    /// The customer has to confirm the payment, such as by 3-D Secure.
    PaymentActionRequired {
        payment: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
    /// Money went back. `refunded` is the total so far.
    PaymentRefunded {
        payment: ProviderId,
        refunded: Money,
        paid: Money,
        effective_at: Timestamp,
    },
    /// An invoice was paid by this payment. Refunds and disputes name the payment, grants the invoice.
    PaymentLinked {
        payment: ProviderId,
        invoice: ProviderId,
        effective_at: Timestamp,
    },
    /// One refund, known by its own id.
    RefundIssued {
        refund: ProviderId,
        payment: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
    /// The money of a refund did not arrive and is back with the seller.
    RefundFailed {
        refund: ProviderId,
        payment: ProviderId,
        money: Money,
        refunded_at: Timestamp,
        effective_at: Timestamp,
    },
    /// Of what an invoice was paid with, a part was put on the customer's balance, or given back outside of the provider.
    CreditNoteIssued {
        note: ProviderId,
        invoice: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
    CreditNoteVoided {
        note: ProviderId,
        invoice: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
    DisputeOpened {
        dispute: ProviderId,
        payment: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
    DisputeClosed {
        dispute: ProviderId,
        payment: ProviderId,
        won: bool,
        /// What was disputed, which may be less than was paid. `None`: all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        money: Option<Money>,
        effective_at: Timestamp,
    },

    CheckoutStarted {
        session: ProviderId,
        purpose: PaymentPurpose,
        /// What each pack gives that is sold on the page, whatever the catalog says when it is paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sold: Option<SoldPack>,
        /// What the caller attaches to what is bought.
        #[serde(default, skip_serializing_if = "Metadata::is_empty")]
        metadata: Metadata,
        effective_at: Timestamp,
    },
    CheckoutCompleted {
        session: ProviderId,
        purpose: PaymentPurpose,
        paid: bool,
        /// The invoice that the session made beside its payment. It is about the same purchase.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<ProviderId>,
        effective_at: Timestamp,
    },
    CheckoutExpired {
        session: ProviderId,
        purpose: PaymentPurpose,
        effective_at: Timestamp,
    },
}

impl Event {
    /// The event's name, as it is stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AccountOpened { .. } => "AccountOpened",
            Self::CustomerLinked { .. } => "CustomerLinked",
            Self::CustomerUnlinked { .. } => "CustomerUnlinked",
            Self::CustomerDiscounted { .. } => "CustomerDiscounted",
            Self::CustomerDiscountEnded { .. } => "CustomerDiscountEnded",
            Self::AccountMetadataSet { .. } => "AccountMetadataSet",
            Self::AccountClosed { .. } => "AccountClosed",
            Self::CreditsGranted { .. } => "CreditsGranted",
            Self::CreditsDeducted { .. } => "CreditsDeducted",
            Self::CreditsRefunded { .. } => "CreditsRefunded",
            Self::CreditsExpired { .. } => "CreditsExpired",
            Self::CreditsAdjusted { .. } => "CreditsAdjusted",
            Self::CreditsClawedBack { .. } => "CreditsClawedBack",
            Self::CreditsRestored { .. } => "CreditsRestored",
            Self::GrantFrozen { .. } => "GrantFrozen",
            Self::GrantUnfrozen { .. } => "GrantUnfrozen",
            Self::GrantEndMoved { .. } => "GrantEndMoved",
            Self::DebtPaid { .. } => "DebtPaid",
            Self::DebtForgiven { .. } => "DebtForgiven",
            Self::CreditsHeld { .. } => "CreditsHeld",
            Self::HoldExtended { .. } => "HoldExtended",
            Self::HoldCommitted { .. } => "HoldCommitted",
            Self::HoldReleased { .. } => "HoldReleased",
            Self::HoldExpired { .. } => "HoldExpired",
            Self::PeriodPaid { .. } => "PeriodPaid",
            Self::InvoicePaid { .. } => "InvoicePaid",
            Self::InvoiceUnpaid { .. } => "InvoiceUnpaid",
            Self::TrialStarted { .. } => "TrialStarted",
            Self::TrialEndAnnounced { .. } => "TrialEndAnnounced",
            Self::SubscriptionStarted { .. } => "SubscriptionStarted",
            Self::SubscriptionRenewed { .. } => "SubscriptionRenewed",
            Self::PlanChanged { .. } => "PlanChanged",
            Self::PlanChangeScheduled { .. } => "PlanChangeScheduled",
            Self::RevenueChanged { .. } => "RevenueChanged",
            Self::SubscriptionMoved { .. } => "SubscriptionMoved",
            Self::SubscriptionPastDue { .. } => "SubscriptionPastDue",
            Self::SubscriptionRecovered { .. } => "SubscriptionRecovered",
            Self::SubscriptionPaused { .. } => "SubscriptionPaused",
            Self::SubscriptionResumed { .. } => "SubscriptionResumed",
            Self::CancellationScheduled { .. } => "CancellationScheduled",
            Self::CancellationWithdrawn { .. } => "CancellationWithdrawn",
            Self::SubscriptionEnded { .. } => "SubscriptionEnded",
            Self::SubscriptionChangeRequested { .. } => "SubscriptionChangeRequested",
            Self::PaymentSucceeded { .. } => "PaymentSucceeded",
            Self::PaymentFailed { .. } => "PaymentFailed",
            Self::PaymentActionRequired { .. } => "PaymentActionRequired",
            Self::PaymentRefunded { .. } => "PaymentRefunded",
            Self::PaymentLinked { .. } => "PaymentLinked",
            Self::RefundIssued { .. } => "RefundIssued",
            Self::RefundFailed { .. } => "RefundFailed",
            Self::CreditNoteIssued { .. } => "CreditNoteIssued",
            Self::CreditNoteVoided { .. } => "CreditNoteVoided",
            Self::DisputeOpened { .. } => "DisputeOpened",
            Self::DisputeClosed { .. } => "DisputeClosed",
            Self::CheckoutStarted { .. } => "CheckoutStarted",
            Self::CheckoutCompleted { .. } => "CheckoutCompleted",
            Self::CheckoutExpired { .. } => "CheckoutExpired",
        }
    }
}
