//! What follows from an invoice that was paid, or was not? Credits are computed from all invoices together.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    command::{InvoiceLine, RecordPaidInvoice},
    event::{Event, InvoiceEvent, PaymentEvent, PaymentPurpose},
    ids::{PlanId, ProviderId},
    invoice::{InvoiceState, LineEffect, PaidInvoice, PaidLine, UnpaidInvoice},
    refusal::Refusal,
    time::Timestamp,
};

use super::draft::DecisionDraft;

impl DecisionDraft<'_> {
    pub(super) fn record_paid_invoice(&mut self, invoice: &RecordPaidInvoice) -> Result<(), Refusal> {
        // Stripe sends two events for one paid invoice. The second one adds nothing.
        if self.account.payments.has_succeeded(&invoice.invoice) {
            return Ok(());
        }
        let paid = self.paid_invoice(invoice)?;
        self.record(Event::Payment(PaymentEvent::PaymentSucceeded {
            payment: invoice.invoice.clone(),
            money: invoice.money.clone(),
            purpose: PaymentPurpose::Subscription {
                subscription: invoice.subscription.clone(),
                plan: named_plan(&invoice.lines),
            },
            effective_at: invoice.effective_at,
        }))?;
        let Some(paid) = paid else { return Ok(()) };
        self.record_of_invoice(Event::Invoice(InvoiceEvent::InvoicePaid {
            invoice: paid,
            effective_at: invoice.effective_at,
        }))
    }

    /// What is stored of the invoice. `None`: it belongs to no subscription.
    fn paid_invoice(&self, invoice: &RecordPaidInvoice) -> Result<Option<PaidInvoice>, Refusal> {
        let Some(subscription) = &invoice.subscription else { return Ok(None) };
        let lines: Result<Vec<PaidLine>, Refusal> =
            invoice.lines.iter().map(|line| self.paid_line(line)).collect();
        Ok(Some(PaidInvoice {
            invoice: invoice.invoice.clone(),
            subscription: subscription.clone(),
            total: invoice.total,
            credited: invoice.credited,
            from_balance: invoice.from_balance,
            gives_back: invoice.gives_back.clone(),
            lines: lines?,
            created_at: invoice.created_at,
            finalized_at: invoice.finalized_at,
        }))
    }

    /// A line with what a month of the plan gives today, so that later catalogs do not change it.
    fn paid_line(&self, line: &InvoiceLine) -> Result<PaidLine, Refusal> {
        let plan = self.context.catalog.terms_of(&line.plan);
        let plan = plan.ok_or_else(|| Refusal::UnknownPlan { plan: line.plan.clone() })?;
        // A quantity that is too large is refused here, and not when its month begins.
        plan.monthly(line.quantity).ok_or(Refusal::AmountTooLarge)?;
        Ok(PaidLine {
            line: line.line.clone(),
            plan: line.plan.clone(),
            quantity: line.quantity,
            period: line.period,
            effect: line.effect,
            gives_back: line.gives_back.clone(),
            months: line.interval.months(),
            full: line.full,
            free: line.free,
            unit: plan.allocation.monthly(),
            rollover: plan.rollover,
            cost: line.cost.clone(),
        })
    }

    /// Records that an invoice is not paid, unless that says nothing new: a first payment is awaited once, the payment
    /// of a change each time, and an invoice that was paid at `effective_at` is not unpaid.
    /// An invoice that was paid later was unpaid until then, whenever that becomes known.
    pub(super) fn record_unpaid_invoice(
        &mut self,
        invoice: &UnpaidInvoice,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let (id, state) = (&invoice.invoice, invoice.state);
        let facts = self.account.subscriptions.facts().get(&invoice.subscription);
        let has_succeeded = self.account.payments.has_succeeded(id);
        let paid_at = facts.and_then(|facts| facts.paid_at(id));
        let was_paid = paid_at.map_or(has_succeeded, |paid_at| paid_at <= effective_at);
        let is_known = facts.and_then(|facts| facts.unpaid(id)) == Some(state);
        let says_nothing = match state {
            InvoiceState::Open => {
                let had_paid = facts.is_some_and(|facts| facts.had_paid(effective_at));
                // What it took from the customer's balance is gone, even if it says nothing about the plan.
                let is_beside = had_paid && !invoice.is_change && invoice.from_balance == 0;
                is_beside || self.context.catalog.payments.trust_processing
            }
            InvoiceState::Failed => has_succeeded,
            InvoiceState::Uncollectible | InvoiceState::Void => false,
        };
        if is_known || was_paid || says_nothing {
            return Ok(());
        }
        self.record_of_invoice(Event::Invoice(InvoiceEvent::InvoiceUnpaid {
            invoice: invoice.clone(),
            effective_at,
        }))
    }

    fn record_of_invoice(&mut self, event: Event) -> Result<(), Refusal> {
        self.record_of_money(event)?;
        self.settle_facts()
    }

    /// Records an event about money.
    /// It can show that other invoices were paid with money that never came; packs of those are taken back, too.
    pub(super) fn record_of_money(&mut self, event: Event) -> Result<(), Refusal> {
        let effective_at = event.effective_at();
        let before = self.account.payments.unbacked().clone();
        self.record(event)?;
        let after = self.account.payments.unbacked().clone();
        let concerned: BTreeSet<&ProviderId> = before.invoices().chain(after.invoices()).collect();
        let mut changed = concerned.into_iter().filter(|invoice| before.part(invoice) != after.part(invoice));
        changed.try_for_each(|invoice| self.settle_payment(invoice, effective_at))
    }

    /// Adjusts credits to all known facts.
    pub(super) fn settle_facts(&mut self) -> Result<(), Refusal> {
        if self.is_closed {
            return Ok(());
        }
        self.settle_months(self.context.at)?;
        self.apply_due()?;
        self.roll_over()
    }
}

/// The plan that most of the invoice's money is for.
fn named_plan(lines: &[InvoiceLine]) -> Option<PlanId> {
    let mut sums: BTreeMap<&PlanId, i64> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.effect != LineEffect::Credit) {
        let sum = sums.entry(&line.plan).or_default();
        *sum = sum.saturating_add(line.cost.minor);
    }
    sums.into_iter().max_by_key(|(_, sum)| *sum).map(|(plan, _)| plan.clone())
}
