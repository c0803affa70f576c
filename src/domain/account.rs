//! What is an account, and how does each event change it?
//!
//! The state is what its events say and nothing else: two replays of one history are equal, to the credit.

mod due;
mod month;
mod moving;
mod terms;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    amount::Credits,
    catalog::{Catalog, Measure},
    credits::{Balance, Grant, GrantColumn, GrantTerms, Hold, HoldOutcome, Imbalance, Source, Wallet},
    discounts::{DiscountReport, Discounts},
    event::{Draw, Event, PaymentPurpose},
    facts::PlanConditions,
    ids::{PlanId, ProviderId},
    limits::{Usage, UsageWindow},
    metadata::Metadata,
    payments::PaymentRecords,
    purchase_records::Sales,
    subscription::{SubscriptionState, Subscriptions},
    time::Timestamp,
};

pub use month::Allocated;

/// The stored events do not describe a possible account.
///
/// This is never a caller's mistake: the history was edited, or a release wrote an event that it should not
/// have. The account must not be decided on until a person has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event cannot follow the account's earlier events")]
pub struct CorruptHistory;

impl From<Imbalance> for CorruptHistory {
    fn from(_: Imbalance) -> Self {
        Self
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Account {
    #[default]
    Unopened,
    Open(OpenAccount),
    Closed(ClosedAccount),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAccount {
    /// How many events there have been.
    pub version: u64,
    pub opened_at: Timestamp,
    /// The latest time that an event was about. What is told late may be about an earlier one.
    pub told_until: Timestamp,
    /// The plan that holds while no subscription gives one.
    pub free_plan: PlanId,
    pub customers: BTreeMap<ProviderId, CustomerLink>,
    /// What its customers have taken off.
    pub discounts: Discounts,
    /// What the caller attaches to it.
    pub metadata: Metadata,
    pub wallet: Wallet,
    pub usage: Usage,
    pub subscriptions: Subscriptions,
    pub payments: PaymentRecords,
    pub sales: Sales,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedAccount {
    pub last: OpenAccount,
    pub reason: String,
    pub closed_at: Timestamp,
}

/// A customer that is gone at the payment provider does not come back, however late its creation is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomerLink {
    Linked,
    Gone,
}

impl Account {
    /// The account's data, also of one that is closed.
    #[must_use]
    pub const fn opened(&self) -> Option<&OpenAccount> {
        match self {
            Self::Unopened => None,
            Self::Open(account) => Some(account),
            Self::Closed(closed) => Some(&closed.last),
        }
    }

    /// How many events there have been, which is the sequence of the last one.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.opened().map_or(0, |account| account.version)
    }

    #[must_use]
    pub fn balance(&self, at: Timestamp) -> Balance {
        self.opened().map_or_else(Balance::default, |account| account.wallet.balance(at))
    }

    /// Changes the account as `event` says. After an error it must be dropped.
    ///
    /// # Errors
    /// When no account with this history can have had that event.
    pub fn apply(&mut self, event: &Event) -> Result<(), CorruptHistory> {
        match (&mut *self, event) {
            (Self::Unopened, Event::AccountOpened { plan, moved_in, effective_at }) => {
                *self = Self::Open(OpenAccount::opened(plan.clone(), moved_in.as_ref(), *effective_at));
                Ok(())
            }
            (Self::Open(account), Event::AccountClosed { reason, effective_at }) => {
                account.version = account.version.saturating_add(1);
                account.told_until = account.told_until.max(*effective_at);
                *self = Self::Closed(ClosedAccount {
                    last: account.clone(),
                    reason: reason.clone(),
                    closed_at: *effective_at,
                });
                Ok(())
            }
            (Self::Open(account), event) => account.apply(event),
            // What became known of its payments and subscriptions. Nothing is granted or spent any more.
            (Self::Closed(closed), event) if !is_use(event) => closed.last.apply(event),
            (Self::Unopened | Self::Closed(_), _) => Err(CorruptHistory),
        }
    }
}

/// The account after `event`.
///
/// # Errors
/// When no account with this history can have had that event.
pub fn evolve(mut account: Account, event: &Event) -> Result<Account, CorruptHistory> {
    account.apply(event)?;
    Ok(account)
}

impl OpenAccount {
    /// An account that has just been opened.
    #[must_use]
    pub fn new(free_plan: PlanId, opened_at: Timestamp) -> Self {
        Self {
            version: 1,
            opened_at,
            told_until: opened_at,
            free_plan,
            customers: BTreeMap::new(),
            discounts: Discounts::default(),
            metadata: Metadata::default(),
            wallet: Wallet::default(),
            usage: Usage::default(),
            subscriptions: Subscriptions::default(),
            payments: PaymentRecords::default(),
            sales: Sales::default(),
        }
    }

    /// The plan that is named for the account at `at`: the largest that its subscriptions give.
    #[must_use]
    pub fn plan(&self, at: Timestamp, catalog: &Catalog) -> &PlanId {
        let plans = self.subscriptions.plans(at, self.known(catalog));
        plans.max_by_key(|plan| (catalog.rank(plan), *plan)).unwrap_or(&self.free_plan)
    }

    /// The subscription that gives the plan that is named for the account; else the one that was reported on last of those
    /// that give access, or of all.
    #[must_use]
    pub fn subscription(&self, at: Timestamp, catalog: &Catalog) -> Option<&SubscriptionState> {
        let plan = self.plan(at, catalog);
        let newest = || {
            let known = self.subscriptions.known().values();
            known.max_by(|one, other| one.evidence.cmp(&other.evidence))
        };
        let giving = self.subscriptions.giving(plan, at, self.known(catalog));
        giving.or_else(|| self.subscriptions.current()).or_else(newest)
    }

    /// What decides besides facts which plans hold.
    pub(super) fn known(&self, catalog: &Catalog) -> PlanConditions<'_> {
        PlanConditions { payments: &self.payments, bridge_days: catalog.payments.bridge_days }
    }

    #[expect(clippy::too_many_lines, reason = "one match names every event")]
    pub(super) fn apply(&mut self, event: &Event) -> Result<(), CorruptHistory> {
        self.version = self.version.saturating_add(1);
        self.told_until = self.told_until.max(event.effective_at());
        match event {
            Event::AccountOpened { .. } | Event::AccountClosed { .. } => Err(CorruptHistory),
            Event::CustomerLinked { customer, .. } => {
                self.customers.entry(customer.clone()).or_insert(CustomerLink::Linked);
                Ok(())
            }
            Event::CustomerUnlinked { customer, .. } => {
                self.customers.insert(customer.clone(), CustomerLink::Gone);
                Ok(())
            }
            Event::CustomerDiscounted { .. } | Event::CustomerDiscountEnded { .. } => {
                self.discounts.learn(&DiscountReport::of(event).ok_or(CorruptHistory)?);
                Ok(())
            }
            Event::AccountMetadataSet { metadata, .. } => {
                self.metadata = metadata.clone();
                Ok(())
            }
            Event::CreditsGranted { .. }
            | Event::CreditsDeducted { .. }
            | Event::CreditsRefunded { .. }
            | Event::CreditsExpired { .. }
            | Event::CreditsAdjusted { .. }
            | Event::CreditsClawedBack { .. }
            | Event::CreditsRestored { .. }
            | Event::GrantFrozen { .. }
            | Event::GrantUnfrozen { .. }
            | Event::GrantEndMoved { .. }
            | Event::DebtPaid { .. }
            | Event::DebtForgiven { .. } => self.apply_to_credits(event),
            Event::CreditsHeld { .. }
            | Event::HoldExtended { .. }
            | Event::HoldCommitted { .. }
            | Event::HoldReleased { .. }
            | Event::HoldExpired { .. } => self.apply_to_holds(event),
            Event::PeriodPaid { term, .. } => {
                self.subscriptions.pay(term);
                Ok(())
            }
            Event::InvoicePaid { invoice, effective_at } => {
                self.payments.invoice(invoice);
                self.subscriptions.pay_invoice(invoice, *effective_at);
                self.leave_unbacked();
                Ok(())
            }
            Event::InvoiceUnpaid { invoice, effective_at } => {
                self.subscriptions.leave_unpaid(invoice, *effective_at);
                self.leave_unbacked();
                Ok(())
            }
            Event::TrialStarted { terms, .. }
            | Event::SubscriptionStarted { terms, .. }
            | Event::SubscriptionRenewed { terms, .. }
            | Event::PlanChanged { terms, .. }
            | Event::PlanChangeScheduled { terms, .. }
            | Event::RevenueChanged { terms, .. }
            | Event::SubscriptionMoved { terms, .. }
            | Event::SubscriptionPastDue { terms, .. }
            | Event::SubscriptionRecovered { terms, .. }
            | Event::SubscriptionPaused { terms, .. }
            | Event::SubscriptionResumed { terms, .. }
            | Event::CancellationScheduled { terms, .. }
            | Event::CancellationWithdrawn { terms, .. }
            | Event::SubscriptionEnded { terms, .. } => {
                self.subscriptions.observe(terms);
                Ok(())
            }
            Event::PaymentSucceeded { .. }
            | Event::PaymentLinked { .. }
            | Event::PaymentRefunded { .. }
            | Event::RefundIssued { .. }
            | Event::RefundFailed { .. }
            | Event::CreditNoteIssued { .. }
            | Event::CreditNoteVoided { .. }
            | Event::DisputeOpened { .. }
            | Event::DisputeClosed { .. } => {
                self.apply_to_payments(event)?;
                self.leave_unbacked();
                Ok(())
            }
            // These are history. Nothing is decided on them.
            Event::TrialEndAnnounced { .. }
            | Event::SubscriptionChangeRequested { .. }
            | Event::PaymentFailed { .. }
            | Event::PaymentActionRequired { .. } => Ok(()),
            Event::CheckoutStarted { .. }
            | Event::CheckoutCompleted { .. }
            | Event::CheckoutExpired { .. } => {
                self.apply_to_sales(event);
                Ok(())
            }
        }
    }

    /// Works out what no money is behind, after something became known of invoices or payments.
    fn leave_unbacked(&mut self) {
        let unbacked = self.subscriptions.leave_unbacked(&self.payments);
        self.payments.leave_unbacked(unbacked);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`apply` names every event and sends only these here")]
    fn apply_to_credits(&mut self, event: &Event) -> Result<(), CorruptHistory> {
        let wallet = &mut self.wallet;
        match event {
            Event::CreditsGranted { grant, effective_at } => self.grant(grant, *effective_at)?,
            Event::CreditsDeducted { draws, windows, .. } => {
                wallet.shift_all(draws, GrantColumn::Remaining, GrantColumn::Consumed)?;
                self.usage.add(windows);
            }
            Event::CreditsRefunded { deduction_id, amount, returns, reissued, windows, .. } => {
                wallet.shift_all(returns, GrantColumn::Consumed, GrantColumn::Remaining)?;
                let given_back: Vec<Draw> = returns.iter().chain(reissued).cloned().collect();
                wallet.note_refund(deduction_id, *amount, &given_back)?;
                self.usage.remove(windows);
            }
            Event::CreditsExpired { grant_id, amount, .. } => {
                wallet.shift(grant_id, *amount, GrantColumn::Remaining, GrantColumn::Expired)?;
            }
            Event::CreditsAdjusted { draws, .. } => {
                wallet.shift_all(draws, GrantColumn::Remaining, GrantColumn::Voided)?;
            }
            Event::CreditsClawedBack { grant_id, voided, expired, owed, forgiven, .. } => {
                wallet.shift(grant_id, *voided, GrantColumn::Remaining, GrantColumn::Voided)?;
                let spent = owed.checked_add(*forgiven).ok_or(CorruptHistory)?;
                wallet.change(grant_id, |grant| grant.note_claw_back(*voided, *expired, spent, *owed))?;
                wallet.debt = wallet.debt.checked_add(*owed).ok_or(CorruptHistory)?;
            }
            Event::CreditsRestored { grant_id, restored, expired, unowed, repaid, unforgiven, .. } => {
                wallet.shift(grant_id, *restored, GrantColumn::Voided, GrantColumn::Remaining)?;
                let owed = unowed.checked_add(*repaid).ok_or(CorruptHistory)?;
                wallet
                    .change(grant_id, |grant| grant.note_restored(*restored, *expired, owed, *unforgiven))?;
                wallet.debt = wallet.debt.checked_sub(*unowed).ok_or(CorruptHistory)?;
            }
            Event::GrantFrozen { grant_id, dispute, .. } => wallet.change(grant_id, |grant| {
                grant.frozen_by = Some(dispute.clone());
                Ok(())
            })?,
            Event::GrantUnfrozen { grant_id, .. } => wallet.change(grant_id, |grant| {
                grant.frozen_by = None;
                Ok(())
            })?,
            Event::GrantEndMoved { grant_id, ends_at, revived, .. } => {
                wallet.shift(grant_id, *revived, GrantColumn::Expired, GrantColumn::Remaining)?;
                wallet.move_end(grant_id, *ends_at)?;
            }
            Event::DebtPaid { grant_id, amount, .. } => {
                wallet.shift(grant_id, *amount, GrantColumn::Remaining, GrantColumn::Consumed)?;
                wallet.debt = wallet.debt.checked_sub(*amount).ok_or(CorruptHistory)?;
            }
            Event::DebtForgiven { amount, .. } => {
                wallet.debt = wallet.debt.checked_sub(*amount).ok_or(CorruptHistory)?;
            }
            _ => return Err(CorruptHistory),
        }
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`apply` names every event and sends only these here")]
    fn apply_to_payments(&mut self, event: &Event) -> Result<(), CorruptHistory> {
        let payments = &mut self.payments;
        match event {
            Event::PaymentSucceeded { payment, money, .. } => payments.succeed(payment, money),
            Event::PaymentLinked { payment, invoice, .. } => payments.link(payment, invoice),
            Event::PaymentRefunded { payment, refunded, paid, effective_at } => {
                payments.note_total(payment, refunded.minor, paid.minor, *effective_at);
            }
            Event::RefundIssued { refund, payment, money, effective_at } => {
                payments.note_refund(payment, refund, money, *effective_at, None);
            }
            Event::RefundFailed { refund, payment, money, refunded_at, effective_at } => {
                payments.note_refund(payment, refund, money, *refunded_at, Some(*effective_at));
            }
            Event::DisputeOpened { dispute, payment, money, .. } => {
                payments.open(dispute, payment, money);
            }
            Event::DisputeClosed { dispute, payment, won, money, effective_at } => {
                payments.close(dispute, payment, *won, money.clone(), *effective_at);
            }
            Event::CreditNoteIssued { note, invoice, money, effective_at } => {
                payments.note(invoice, note, money, false, *effective_at);
            }
            Event::CreditNoteVoided { note, invoice, money, effective_at } => {
                payments.note(invoice, note, money, true, *effective_at);
            }
            _ => return Err(CorruptHistory),
        }
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`apply` names every event and sends only these here")]
    fn apply_to_sales(&mut self, event: &Event) {
        match event {
            Event::CheckoutStarted {
                session,
                purpose: PaymentPurpose::Subscription { .. },
                effective_at,
                ..
            } => self.sales.start_plan(session, *effective_at),
            Event::CheckoutStarted { session, sold, effective_at, .. } => {
                self.sales.start(session, sold.as_ref(), *effective_at);
            }
            Event::CheckoutCompleted { session, invoice, .. } => {
                self.sales.complete(session);
                if let Some(invoice) = invoice {
                    let by_lines = self.wallet.bought_by(invoice).next().is_some();
                    self.sales.note_invoice(invoice, by_lines);
                }
            }
            Event::CheckoutExpired { session, .. } => self.sales.expire(session),
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`apply` names every event and sends only these here")]
    fn apply_to_holds(&mut self, event: &Event) -> Result<(), CorruptHistory> {
        let wallet = &mut self.wallet;
        match event {
            Event::CreditsHeld {
                hold_id, amount, draws, purpose, windows, expires_at, effective_at, ..
            } => {
                wallet.shift_all(draws, GrantColumn::Remaining, GrantColumn::Held)?;
                wallet.holds.insert(Hold {
                    hold_id: hold_id.clone(),
                    amount: *amount,
                    draws: draws.clone(),
                    purpose: purpose.clone(),
                    windows: windows.clone(),
                    held_at: *effective_at,
                    expires_at: *expires_at,
                })?;
                self.usage.add(windows);
            }
            Event::HoldExtended { hold_id, expires_at, .. } => wallet.holds.extend(hold_id, *expires_at)?,
            Event::HoldCommitted { hold_id, amount, draws, returns, .. } => {
                let hold = wallet.holds.resolve(hold_id, HoldOutcome::Committed { amount: *amount })?;
                wallet.shift_all(draws, GrantColumn::Held, GrantColumn::Consumed)?;
                wallet.shift_all(returns, GrantColumn::Held, GrantColumn::Remaining)?;
                let unspent = hold.amount.checked_sub(*amount).ok_or(CorruptHistory)?;
                self.usage.remove(&unspent_windows(&hold.windows, unspent));
            }
            Event::HoldReleased { hold_id, returns, .. } => {
                let hold = wallet.holds.resolve(hold_id, HoldOutcome::Released)?;
                wallet.shift_all(returns, GrantColumn::Held, GrantColumn::Remaining)?;
                self.usage.remove(&hold.windows);
            }
            Event::HoldExpired { hold_id, returns, .. } => {
                let hold = wallet.holds.resolve(hold_id, HoldOutcome::Expired)?;
                wallet.shift_all(returns, GrantColumn::Held, GrantColumn::Remaining)?;
                self.usage.remove(&hold.windows);
            }
            _ => return Err(CorruptHistory),
        }
        Ok(())
    }

    fn grant(&mut self, terms: &GrantTerms, granted_at: Timestamp) -> Result<(), CorruptHistory> {
        self.wallet.add(Grant::new(terms.clone(), granted_at))?;
        if let (Source::Allocation, Some(slot)) = (terms.source, &terms.slot) {
            self.subscriptions.month_opened(&slot.subscription, slot.month_end());
            if slot.carry_max.is_some() {
                self.subscriptions.month_granted(&slot.subscription, slot.period.start);
            }
        }
        Ok(())
    }
}

/// The part of a hold's windows that a commit of less does not use: credits, not the generation itself.
fn unspent_windows(windows: &[UsageWindow], unspent: Credits) -> Vec<UsageWindow> {
    windows
        .iter()
        .filter(|window| window.key.measure == Measure::Credits)
        .map(|window| UsageWindow { count: u64::try_from(unspent.get()).unwrap_or(0), ..*window })
        .collect()
}

/// Whether credits were given out or used, which only happens to an account that is open.
const fn is_use(event: &Event) -> bool {
    matches!(
        event,
        Event::CreditsGranted { .. }
            | Event::CreditsDeducted { .. }
            | Event::CreditsRefunded { .. }
            | Event::CreditsHeld { .. }
            | Event::HoldExtended { .. }
            | Event::HoldCommitted { .. }
            | Event::HoldReleased { .. }
    )
}
