//! What can be asked of an account? Commands are imperative, and have all that their decision needs to know.

mod reports;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    amount::{Credits, Money},
    catalog::Measure,
    credits::{DeductionRefunds, Source},
    discounts::DiscountReport,
    event::{CreditsEvent, Draw, Event, HoldEvent, PaymentPurpose, Purpose},
    ids::{DeductionId, GenerationId, GenerationType, GrantId, HoldId, OptionName, ProviderId},
    invoice::UnpaidInvoice,
    limits::UsageWindow,
    metadata::Metadata,
    moving::ImportAccount,
    requested::RequestedChange,
    time::Timestamp,
};

pub use reports::{
    CheckoutStep, InvoiceLine, RecordCheckout, RecordPackPurchase, RecordPaidInvoice, RecordSubscription,
};

pub use super::report::SubscriptionChange;

/// A command, by family.
/// It is serialised as the command of its family alone, so that the request hash does not depend on families.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Command {
    Account(AccountCommand),
    Credits(CreditsCommand),
    Customer(CustomerCommand),
    Subscription(SubscriptionCommand),
    Purchase(PurchaseCommand),
    Payment(PaymentCommand),
}

/// About the account itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountCommand {
    OpenAccount,
    /// Opens an account with the state that it had elsewhere.
    ImportAccount(Box<ImportAccount>),
    /// Replaces what the caller attached to the account.
    SetMetadata {
        metadata: Metadata,
    },
    CloseAccount {
        reason: String,
    },
    /// Applies what is due because time passed: expiry, allocation, rollover.
    #[serde(rename = "Settle")]
    ApplyDue,
}

/// About credits, sent by callers and operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditsCommand {
    /// Spends an amount that the caller names. All of it, or none of it.
    DeductCredits {
        amount: Credits,
        id: Option<GenerationId>,
        description: Option<String>,
    },
    /// Spends the catalog's price of a generation, if the plan's features and limits allow it.
    Generate(Generation),
    HoldCredits {
        what: HoldFor,
        expires_in_s: Option<u32>,
    },
    CommitHold {
        hold_id: HoldId,
        amount: Option<Credits>,
        excess: Excess,
    },
    /// Returns a part of a hold, which stays open. `None`: returns all that is left, and ends it.
    ReleaseHold {
        hold_id: HoldId,
        #[serde(skip_serializing_if = "Option::is_none")]
        amount: Option<Credits>,
    },
    /// Spends a part of a hold, which stays open.
    SpendHold {
        hold_id: HoldId,
        amount: Credits,
        id: Option<GenerationId>,
        description: Option<String>,
    },
    /// Adds credits to a hold, and moves its end if `expires_in_s` says so.
    TopUpHold {
        hold_id: HoldId,
        amount: Credits,
        expires_in_s: Option<u32>,
    },
    /// Moves the end of a hold to this many seconds from now.
    ExtendHold {
        hold_id: HoldId,
        expires_in_s: u32,
    },
    /// Refunds all or part of what was spent, the newest deduction first. `None`: all that was not refunded before.
    RefundDeductions {
        of: Spent,
        /// The deductions that were found.
        /// They are not part of the request hash, since a generation may have more of them when the request is
        /// repeated.
        #[serde(skip)]
        deductions: Vec<RecordedDeduction>,
        amount: Option<Credits>,
        reason: String,
    },
    GrantCredits(GrantCredits),
    /// Takes credits away, in the spending order.
    AdjustCredits {
        amount: Credits,
        reason: String,
    },
    ForgiveDebt {
        amount: Option<Credits>,
        reason: String,
    },
}

/// What the payment provider reports of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerCommand {
    LinkCustomer {
        customer: ProviderId,
        effective_at: Timestamp,
    },
    UnlinkCustomer {
        customer: ProviderId,
        effective_at: Timestamp,
    },
    /// Records a customer's discount. It holds for those of its subscriptions that have no discounts of their own.
    RecordDiscount(DiscountReport),
}

/// What the payment provider reports of a subscription, and what was requested there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all that come are reports")]
pub enum SubscriptionCommand {
    RecordSubscription(RecordSubscription),
    /// Records a request to change a subscription, after the payment provider has carried it out.
    RecordRequestedChange(RequestedChange),
    AnnounceTrialEnd {
        subscription: ProviderId,
        trial_end: Timestamp,
        effective_at: Timestamp,
    },
}

/// What the payment provider reports of purchases: invoices, packs, and attempts to pay for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseCommand {
    RecordPaidInvoice(RecordPaidInvoice),
    RecordUnpaidInvoice {
        invoice: UnpaidInvoice,
        effective_at: Timestamp,
    },
    RecordPackPurchase(RecordPackPurchase),
    RecordCheckout(RecordCheckout),
    RecordFailedPayment {
        payment: ProviderId,
        money: Money,
        purpose: PaymentPurpose,
        attempt: u32,
        effective_at: Timestamp,
    },
    RecordActionRequired {
        payment: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
}

/// What the payment provider reports of existing payments: their invoices, refunds, disputes and credit notes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentCommand {
    /// Says which invoice a payment was for.
    LinkPayment {
        payment: ProviderId,
        invoice: ProviderId,
        effective_at: Timestamp,
    },
    /// Takes back credits after a refund. `refunded` is the total of the payment's refunds so far.
    RecordRefundedPayment {
        payment: ProviderId,
        refunded: Money,
        paid: Money,
        effective_at: Timestamp,
    },
    /// Takes back the credits that one refund returns money for.
    RecordRefund {
        refund: ProviderId,
        payment: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
    /// Gives back the credits that were taken for a refund that failed.
    RecordFailedRefund {
        refund: ProviderId,
        payment: ProviderId,
        money: Money,
        refunded_at: Timestamp,
        effective_at: Timestamp,
    },
    /// Takes back the credits for which a credit note put money on the customer's balance, or says that it was returned
    /// outside of the provider.
    /// What a credit note refunds is reported by its refund.
    RecordCreditNote {
        note: ProviderId,
        invoice: ProviderId,
        money: Money,
        voided: bool,
        effective_at: Timestamp,
    },
    OpenDispute {
        dispute: ProviderId,
        payment: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
    CloseDispute {
        dispute: ProviderId,
        payment: ProviderId,
        won: bool,
        /// The disputed amount. `None`: all that was paid.
        money: Option<Money>,
        effective_at: Timestamp,
    },
}

impl Command {
    /// The generation that this command charges or holds credits for, at the catalog's price.
    #[must_use]
    pub const fn charges_for(&self) -> Option<&GenerationId> {
        let Self::Credits(
            CreditsCommand::Generate(generation)
            | CreditsCommand::HoldCredits { what: HoldFor::Generation(generation), .. },
        ) = self
        else {
            return None;
        };
        generation.id.as_ref()
    }

    /// The deductions that this command refunds.
    #[must_use]
    pub const fn deductions_mut(&mut self) -> Option<&mut Vec<RecordedDeduction>> {
        let Self::Credits(CreditsCommand::RefundDeductions { deductions, .. }) = self else { return None };
        Some(deductions)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Generation {
    pub kind: GenerationType,
    pub options: BTreeMap<OptionName, OptionName>,
    pub id: Option<GenerationId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldFor {
    Amount { amount: Credits, id: Option<GenerationId>, description: Option<String> },
    Generation(Generation),
}

/// What happens when more is committed than was held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    #[default]
    Reject,
    /// Commits what was held, and reports the shortfall.
    Cap,
    /// Takes the difference as a new deduction.
    Take,
}

/// What a refund is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    Deduction(DeductionId),
    /// All deductions for this generation.
    Generation(GenerationId),
}

/// A stored deduction, and what was refunded of it before.
///
/// The deduction never changes, so it can be read before the decision. An account knows its refunds since then.
/// Nothing of it was refunded up to its own event, which is enough if the account remembers all refunds since then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedDeduction {
    pub deduction_id: DeductionId,
    pub amount: Credits,
    pub draws: Vec<Draw>,
    pub purpose: Purpose,
    pub windows: Vec<UsageWindow>,
    /// What was refunded of it up to the account's event with the sequence `refunded_until`.
    pub refunded: DeductionRefunds,
    pub refunded_until: u64,
}

/// The most deductions that one refund can include.
pub const REFUND_DEDUCTIONS_MAX: usize = 100;
/// The most refunds of one deduction that leave something of it. All of them are read before the next one.
pub const PARTIAL_REFUNDS_MAX: usize = 100;

impl RecordedDeduction {
    /// What an event spent by itself. `None`: nothing, or what was held before, as a commit does.
    ///
    /// A generation that was spent in parts stays counted when a part comes back, since other parts were spent.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let (Event::Credits(CreditsEvent::CreditsDeducted {
            deduction_id,
            amount,
            draws,
            purpose,
            windows,
            ..
        })
        | Event::Hold(HoldEvent::HoldSpent { deduction_id, amount, draws, purpose, windows, .. })) = event
        else {
            return None;
        };
        let is_part = matches!(event, Event::Hold(_));
        let stays = |window: &&UsageWindow| !is_part || window.key.measure == Measure::Credits;
        Some(Self {
            deduction_id: deduction_id.clone(),
            amount: *amount,
            draws: draws.clone(),
            purpose: purpose.clone(),
            windows: windows.iter().filter(stays).copied().collect(),
            refunded: DeductionRefunds::default(),
            refunded_until: 0,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantCredits {
    pub grant_id: GrantId,
    pub source: Source,
    pub amount: Credits,
    pub starts_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub priority: Option<u8>,
    pub cost: Option<Money>,
    pub reason: String,
}
