//! How does each event change an open account? One match per family.

use super::{CorruptHistory, CustomerLink, OpenAccount};
use crate::{
    amount::Credits,
    credits::{Grant, GrantColumn, GrantTerms, Hold, HoldOutcome, Source},
    event::{
        AccountEvent, CheckoutEvent, CreditsEvent, Event, HoldEvent, InvoiceEvent, PaymentEvent,
        PaymentPurpose,
    },
    limits,
    time::Timestamp,
};

impl OpenAccount {
    pub(crate) fn apply(&mut self, event: &Event) -> Result<(), CorruptHistory> {
        self.version = self.version.saturating_add(1);
        self.told_until = self.told_until.max(event.effective_at());
        match event {
            Event::Account(event) => self.apply_to_account(event)?,
            Event::Credits(event) => self.apply_to_credits(event)?,
            Event::Hold(event) => self.apply_to_holds(event)?,
            Event::Invoice(event) => self.apply_to_invoices(event),
            Event::Subscription(event) => self.subscriptions.observe(event.terms()),
            // These events are kept as history only: no decision depends on them.
            Event::Notice(_) => {}
            Event::Payment(event) => self.apply_to_payments(event),
            Event::Checkout(event) => self.apply_to_sales(event),
        }
        Ok(())
    }

    fn apply_to_account(&mut self, event: &AccountEvent) -> Result<(), CorruptHistory> {
        match event {
            AccountEvent::AccountOpened { .. } | AccountEvent::AccountClosed { .. } => {
                return Err(CorruptHistory);
            }
            AccountEvent::CustomerLinked { customer, .. } => {
                self.customers.entry(customer.clone()).or_insert(CustomerLink::Linked);
            }
            AccountEvent::CustomerUnlinked { customer, .. } => {
                self.customers.insert(customer.clone(), CustomerLink::Gone);
            }
            AccountEvent::CustomerDiscounted { .. } | AccountEvent::CustomerDiscountEnded { .. } => {
                self.discounts.learn(&event.discount_report().ok_or(CorruptHistory)?);
            }
            AccountEvent::AccountMetadataSet { metadata, .. } => self.metadata = metadata.clone(),
        }
        Ok(())
    }

    fn apply_to_invoices(&mut self, event: &InvoiceEvent) {
        match event {
            InvoiceEvent::PeriodPaid { term, .. } => self.subscriptions.pay(term),
            InvoiceEvent::InvoicePaid { invoice, effective_at } => {
                self.payments.invoice(invoice);
                self.subscriptions.pay_invoice(invoice, *effective_at);
                self.leave_unbacked();
            }
            InvoiceEvent::InvoiceUnpaid { invoice, effective_at } => {
                self.subscriptions.leave_unpaid(invoice, *effective_at);
                self.leave_unbacked();
            }
        }
    }

    /// Finds again which invoices have no money behind them, after a report on an invoice or a payment.
    fn leave_unbacked(&mut self) {
        let unbacked = self.subscriptions.leave_unbacked(&self.payments);
        self.payments.leave_unbacked(unbacked);
    }

    fn apply_to_credits(&mut self, event: &CreditsEvent) -> Result<(), CorruptHistory> {
        let wallet = &mut self.wallet;
        match event {
            CreditsEvent::CreditsGranted { grant, effective_at, .. } => self.grant(grant, *effective_at)?,
            CreditsEvent::CreditsDeducted { draws, windows, .. } => {
                wallet.shift_all(draws, GrantColumn::Remaining, GrantColumn::Consumed)?;
                self.usage.add(windows);
            }
            CreditsEvent::CreditsRefunded { deduction_id, amount, returns, reissued, windows, .. } => {
                wallet.shift_all(returns, GrantColumn::Consumed, GrantColumn::Remaining)?;
                let given_back = returns.iter().chain(reissued).cloned().collect();
                wallet.refunds.note(self.version, deduction_id, *amount, given_back);
                self.usage.remove(windows);
            }
            CreditsEvent::CreditsExpired { grant_id, amount, .. } => {
                wallet.shift(grant_id, *amount, GrantColumn::Remaining, GrantColumn::Expired)?;
            }
            CreditsEvent::CreditsAdjusted { draws, .. } => {
                wallet.shift_all(draws, GrantColumn::Remaining, GrantColumn::Voided)?;
            }
            CreditsEvent::CreditsClawedBack { grant_id, voided, expired, owed, forgiven, .. } => {
                wallet.shift(grant_id, *voided, GrantColumn::Remaining, GrantColumn::Voided)?;
                let spent = owed.checked_add(*forgiven).ok_or(CorruptHistory)?;
                wallet.change(grant_id, |grant| grant.note_claw_back(*voided, *expired, spent, *owed))?;
                wallet.debt = wallet.debt.checked_add(*owed).ok_or(CorruptHistory)?;
            }
            CreditsEvent::CreditsRestored {
                grant_id, restored, expired, unowed, repaid, unforgiven, ..
            } => {
                wallet.shift(grant_id, *restored, GrantColumn::Voided, GrantColumn::Remaining)?;
                let owed = unowed.checked_add(*repaid).ok_or(CorruptHistory)?;
                wallet
                    .change(grant_id, |grant| grant.note_restored(*restored, *expired, owed, *unforgiven))?;
                wallet.debt = wallet.debt.checked_sub(*unowed).ok_or(CorruptHistory)?;
            }
            CreditsEvent::GrantFrozen { grant_id, dispute, .. } => wallet.change(grant_id, |grant| {
                grant.frozen_by = Some(dispute.clone());
                Ok(())
            })?,
            CreditsEvent::GrantUnfrozen { grant_id, .. } => wallet.change(grant_id, |grant| {
                grant.frozen_by = None;
                Ok(())
            })?,
            CreditsEvent::GrantEndMoved { grant_id, ends_at, revived, .. } => {
                wallet.shift(grant_id, *revived, GrantColumn::Expired, GrantColumn::Remaining)?;
                wallet.move_end(grant_id, *ends_at)?;
            }
            CreditsEvent::DebtPaid { grant_id, amount, .. } => {
                wallet.shift(grant_id, *amount, GrantColumn::Remaining, GrantColumn::Consumed)?;
                wallet.debt = wallet.debt.checked_sub(*amount).ok_or(CorruptHistory)?;
            }
            CreditsEvent::DebtForgiven { amount, .. } => {
                wallet.debt = wallet.debt.checked_sub(*amount).ok_or(CorruptHistory)?;
            }
        }
        Ok(())
    }

    fn apply_to_payments(&mut self, event: &PaymentEvent) {
        match event {
            // These events are kept as history only: no decision depends on them.
            PaymentEvent::PaymentFailed { .. } | PaymentEvent::PaymentActionRequired { .. } => return,
            PaymentEvent::PaymentSucceeded { .. }
            | PaymentEvent::PaymentLinked { .. }
            | PaymentEvent::PaymentRefunded { .. }
            | PaymentEvent::RefundIssued { .. }
            | PaymentEvent::RefundFailed { .. }
            | PaymentEvent::DisputeOpened { .. }
            | PaymentEvent::DisputeClosed { .. }
            | PaymentEvent::CreditNoteIssued { .. }
            | PaymentEvent::CreditNoteVoided { .. } => self.payments.learn(event),
        }
        self.leave_unbacked();
    }

    fn apply_to_sales(&mut self, event: &CheckoutEvent) {
        match event {
            CheckoutEvent::CheckoutStarted {
                session,
                purpose: PaymentPurpose::Subscription { .. },
                effective_at,
                ..
            } => self.sales.start_plan(session, *effective_at),
            CheckoutEvent::CheckoutStarted { session, sold, effective_at, .. } => {
                self.sales.start(session, sold.as_ref(), *effective_at);
            }
            CheckoutEvent::CheckoutCompleted { session, invoice, .. } => {
                self.sales.complete(session);
                if let Some(invoice) = invoice {
                    let by_lines = self.wallet.bought_by(invoice).next().is_some();
                    self.sales.note_invoice(invoice, by_lines);
                }
            }
            CheckoutEvent::CheckoutExpired { session, .. } => self.sales.expire(session),
        }
    }

    fn apply_to_holds(&mut self, event: &HoldEvent) -> Result<(), CorruptHistory> {
        let wallet = &mut self.wallet;
        match event {
            HoldEvent::CreditsHeld {
                hold_id,
                amount,
                draws,
                purpose,
                windows,
                expires_at,
                effective_at,
                ..
            } => {
                wallet.shift_all(draws, GrantColumn::Remaining, GrantColumn::Held)?;
                wallet.holds.insert(Hold {
                    hold_id: hold_id.clone(),
                    amount: *amount,
                    spent: Credits::ZERO,
                    returned: Credits::ZERO,
                    is_topped_up: false,
                    draws: draws.clone(),
                    purpose: purpose.clone(),
                    windows: windows.clone(),
                    held_at: *effective_at,
                    expires_at: *expires_at,
                })?;
                self.usage.add(windows);
            }
            HoldEvent::HoldExtended { hold_id, expires_at, .. } => {
                wallet.holds.extend(hold_id, *expires_at)?
            }
            HoldEvent::HoldCommitted { hold_id, amount, draws, returns, .. } => {
                let hold = wallet.holds.resolve(hold_id, HoldOutcome::Committed { amount: *amount })?;
                wallet.shift_all(draws, GrantColumn::Held, GrantColumn::Consumed)?;
                wallet.shift_all(returns, GrantColumn::Held, GrantColumn::Remaining)?;
                let (_, unspent) = limits::split(&hold.windows, *amount);
                self.usage.remove(&unspent);
            }
            HoldEvent::HoldSpent { hold_id, amount, draws, windows, .. } => {
                wallet.holds.spend(hold_id, *amount, draws, windows)?;
                wallet.shift_all(draws, GrantColumn::Held, GrantColumn::Consumed)?;
            }
            HoldEvent::HoldToppedUp { hold_id, amount, draws, windows, expires_at, .. } => {
                wallet.shift_all(draws, GrantColumn::Remaining, GrantColumn::Held)?;
                wallet.holds.top_up(hold_id, *amount, draws, windows)?;
                wallet.holds.extend(hold_id, *expires_at)?;
                self.usage.add(windows);
            }
            HoldEvent::HoldReduced { hold_id, amount, returns, windows, .. } => {
                wallet.holds.reduce(hold_id, *amount, returns, windows)?;
                wallet.shift_all(returns, GrantColumn::Held, GrantColumn::Remaining)?;
                self.usage.remove(windows);
            }
            HoldEvent::HoldReleased { hold_id, returns, .. } => {
                let hold = wallet.holds.resolve(hold_id, HoldOutcome::Released)?;
                wallet.shift_all(returns, GrantColumn::Held, GrantColumn::Remaining)?;
                self.usage.remove(&hold.windows);
            }
            HoldEvent::HoldExpired { hold_id, returns, .. } => {
                let hold = wallet.holds.resolve(hold_id, HoldOutcome::Expired)?;
                wallet.shift_all(returns, GrantColumn::Held, GrantColumn::Remaining)?;
                self.usage.remove(&hold.windows);
            }
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
