//! What can be asked of an account? Commands are imperative, and carry all that their decision needs to know.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    amount::{Credits, Money},
    catalog::Interval,
    credits::Source,
    discounts::DiscountReport,
    event::{Draw, PaymentPurpose, Purpose},
    ids::{
        DeductionId, GenerationId, GenerationType, GrantId, HoldId, InvalidIdentifier, OptionName, PackId,
        PlanId, ProviderId,
    },
    invoice::{LineEffect, ReturnedCredits, UnpaidInvoice},
    limits::UsageWindow,
    metadata::Metadata,
    moving::ImportAccount,
    purchase_records::SoldPack,
    requested::RequestedChange,
    subscription::SubscriptionState,
    time::{Period, Timestamp},
};

/// A command, by what it is about. It is written as the command of its family alone: the family is no part of what a
/// repetition is known by.
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
    /// Opens an account as it was elsewhere.
    ImportAccount(Box<ImportAccount>),
    /// Replaces the caller's metadata of the account.
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

/// About credits, as callers and operators ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditsCommand {
    /// Spends an amount that the caller names. All of it, or none of it.
    DeductCredits {
        amount: Credits,
        id: Option<GenerationId>,
        description: Option<String>,
    },
    /// Spends what the catalog says that the work costs, if the plan's features and limits allow it.
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
    ReleaseHold {
        hold_id: HoldId,
    },
    /// Moves the end of a hold to so many seconds from now.
    ExtendHold {
        hold_id: HoldId,
        expires_in_s: u32,
    },
    /// Refunds all or part of what was spent, the newest deduction first. `None`: all that has not been refunded yet.
    RefundDeductions {
        of: Spent,
        /// What was found of it. More may be spent on a generation before a request is repeated, so that this is no
        /// part of what a repetition is known by.
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
    /// Records a discount of a customer, for its subscriptions that have no discounts of their own.
    RecordDiscount(DiscountReport),
}

/// What the payment provider reports of a subscription, and what it was asked to do with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all that come are reports")]
pub enum SubscriptionCommand {
    RecordSubscription(RecordSubscription),
    /// Records that somebody asked for a change of a subscription, and that it was done at the payment provider.
    RecordRequestedChange(RequestedChange),
    AnnounceTrialEnd {
        subscription: ProviderId,
        trial_end: Timestamp,
        effective_at: Timestamp,
    },
}

/// What the payment provider reports of what is bought: invoices, packs, and the attempts to pay for them.
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

/// What the payment provider reports of a payment after it was made: what it was for, and what went back of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentCommand {
    /// Says which invoice a payment was for.
    LinkPayment {
        payment: ProviderId,
        invoice: ProviderId,
        effective_at: Timestamp,
    },
    /// Takes back what a refunded payment bought. `refunded` is the total so far.
    RecordRefundedPayment {
        payment: ProviderId,
        refunded: Money,
        paid: Money,
        effective_at: Timestamp,
    },
    /// Takes back what one refund gives money back for.
    RecordRefund {
        refund: ProviderId,
        payment: ProviderId,
        money: Money,
        effective_at: Timestamp,
    },
    /// Gives back what was taken for a refund that did not arrive.
    RecordFailedRefund {
        refund: ProviderId,
        payment: ProviderId,
        money: Money,
        refunded_at: Timestamp,
        effective_at: Timestamp,
    },
    /// Takes back what was put on the customer's balance, or given back outside of the provider. What a note refunds is
    /// reported by its refund.
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
        /// What was disputed. `None`: all that was paid.
        money: Option<Money>,
        effective_at: Timestamp,
    },
}

impl Command {
    /// The generation that it charges or holds credits for, by the catalog's price. A generation is charged once.
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

/// What to do when more is committed than was held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    #[default]
    Reject,
    /// Commit what was held, and report the shortfall.
    Cap,
    /// Take the difference as a new deduction.
    Take,
}

/// What a refund names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    Deduction(DeductionId),
    /// All deductions that are for it.
    Generation(GenerationId),
}

/// A deduction as its event says. It never changes, so it can be read before the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordedDeduction {
    pub deduction_id: DeductionId,
    pub amount: Credits,
    pub draws: Vec<Draw>,
    pub purpose: Purpose,
    pub windows: Vec<UsageWindow>,
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

/// What Stripe reports of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordSubscription {
    pub change: SubscriptionChange,
    pub terms: SubscriptionState,
    pub effective_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionChange {
    TrialStarted,
    Started,
    Renewed,
    PlanChanged {
        from: Option<PlanId>,
    },
    PlanChangeScheduled,
    PastDue,
    Recovered,
    Paused,
    Resumed,
    CancellationScheduled,
    CancellationWithdrawn,
    Ended,
    /// Its revenue has changed: by the price or quantity of an add-on, or by a lasting discount.
    RevenueChanged,
    /// It belongs to another account from now on.
    Moved,
    /// The report names no change. It still counts by its terms.
    Unnamed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordPaidInvoice {
    pub invoice: ProviderId,
    pub subscription: Option<ProviderId>,
    /// What changed hands.
    pub money: Money,
    /// What was to be paid, by money and by the customer's balance, in minor units.
    pub total: i64,
    /// The part of `total` that credit notes took off before it was paid.
    pub credited: i64,
    /// The part of `total` that the customer's balance paid.
    pub from_balance: i64,
    /// What it gives back of other invoices, by those.
    pub gives_back: BTreeMap<ProviderId, ReturnedCredits>,
    pub lines: Vec<InvoiceLine>,
    /// When the invoice was made.
    pub created_at: Timestamp,
    /// When the customer's balance paid its part, or got what the invoice gives back.
    pub finalized_at: Option<Timestamp>,
    /// When it was paid.
    pub effective_at: Timestamp,
}

/// A line that is about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceLine {
    pub line: ProviderId,
    pub plan: PlanId,
    pub quantity: u32,
    pub period: Period,
    pub interval: Interval,
    pub effect: LineEffect,
    /// The invoice that it gives back a part of, if it names one.
    pub gives_back: Option<ProviderId>,
    /// Whether the whole price was charged, and no share of it.
    pub full: bool,
    /// Whether the plan's price is 0.
    pub free: bool,
    pub cost: Money,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordPackPurchase {
    /// The payment, or the invoice that it paid, which is what makes two reports of one purchase the same.
    pub payment: ProviderId,
    /// The line of the invoice or of the session, where the payment was for more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ProviderId>,
    pub session: Option<ProviderId>,
    pub pack: PackId,
    /// What it gives, as the payment provider was told when it was sold. `None`: as the catalog says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sold: Option<SoldPack>,
    pub quantity: u32,
    /// What it came to before discounts and taxes, where only that says how many there were: then it is counted by the
    /// price that they were sold at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtotal: Option<Money>,
    /// What was paid for these.
    pub money: Money,
    /// What was paid in all, where the payment was for more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
    pub effective_at: Timestamp,
}

impl RecordPackPurchase {
    /// The grant that it leads to.
    ///
    /// # Errors
    /// When the provider's ids are longer than an id of a grant can be.
    pub fn grant_id(&self) -> Result<GrantId, InvalidIdentifier> {
        match &self.item {
            Some(item) => GrantId::parse(&format!("pack:{}:{item}", self.payment)),
            None => GrantId::parse(&format!("pack:{}", self.payment)),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordCheckout {
    pub session: ProviderId,
    pub step: CheckoutStep,
    pub purpose: PaymentPurpose,
    pub customer: Option<ProviderId>,
    /// What a pack gives and costs that is sold on the page, for one that has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sold: Option<SoldPack>,
    /// The caller's metadata of the purchase, for a checkout that has started.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The invoice that the session makes beside its payment, for a completed checkout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<ProviderId>,
    pub effective_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStep {
    Started,
    Completed { paid: bool },
    Expired,
}
