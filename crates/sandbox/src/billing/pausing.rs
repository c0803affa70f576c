//! How does a subscription stand still, and how does it go on?
//!
//! A resumption, or a change that is to be paid first, waits for its invoice: the subscription stays what it is until
//! that is paid, and for 23 hours at most.

use crate::{
    calendar::{self, HOUR_S},
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        invoice::InvoiceStatus,
        line::SandboxInvoiceLine,
        subscription::{PendingUpdate, SandboxSubscription, SandboxSubscriptionStatus},
    },
};

use super::{
    invoicing::NewInvoice,
    payments::{Attempt, Presence},
    proration::{credit_lines, debit_line, period_line},
};

/// How long an invoice is waited for.
const PENDING_S: i64 = 23 * HOUR_S;

/// From when on unused time is given back by a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusedFrom {
    Now,
    PeriodStart,
    Never,
}

impl SandboxState {
    /// It stands still until it is resumed.
    pub fn pause_subscription(&mut self, id: &str, reason: &'static str) -> Result<(), SandboxFailure> {
        let now = self.store.now;
        let before = self.store.subscriptions.get(id)?.render(&self.store);
        let row = self.store.subscriptions.get_mut(id)?;
        row.status = SandboxSubscriptionStatus::Paused;
        row.paused = Some((reason, now));
        let after = self.store.subscriptions.get(id)?.render(&self.store);
        self.emit("customer.subscription.paused", after.clone());
        self.emit_change("customer.subscription.updated", &before, after);
        Ok(())
    }

    /// Somebody asks for it: the period ends here, and what is not used is given back.
    pub fn pause_now(
        &mut self,
        id: &str,
        unused: UnusedFrom,
        invoice_now: bool,
    ) -> Result<(), SandboxFailure> {
        let now = self.store.now;
        let row = self.store.subscriptions.get(id)?.clone();
        let mut credits = Vec::new();
        for item in row.items.iter().filter(|_| unused != UnusedFrom::Never) {
            let from = if unused == UnusedFrom::Now { now } else { item.period_start };
            credits.extend(credit_lines(self, &row, item, (from.min(item.period_end), item.period_end))?);
        }
        self.note_credits(id, &credits)?;
        let items: Vec<_> =
            credits.iter().filter_map(|line| line.as_invoice_item(&row.customer, None, now)).collect();
        let changed = self.store.subscriptions.get_mut(id)?;
        changed.pending.extend(credits);
        changed.items.iter_mut().for_each(|item| item.period_end = now);
        self.store.subscriptions.get_mut(id)?.status = row.status;
        let before = row.render(&self.store);
        let changed = self.store.subscriptions.get_mut(id)?;
        changed.status = SandboxSubscriptionStatus::Paused;
        changed.paused = Some(("pause_requested", now));
        let after = self.store.subscriptions.get(id)?.render(&self.store);
        self.emit("customer.subscription.paused", after.clone());
        self.emit_change("customer.subscription.updated", &before, after);
        for item in items {
            self.emit("invoiceitem.created", item);
        }
        if invoice_now { self.invoice_pending(id) } else { Ok(()) }
    }

    /// From `paused` on: in the period that it was in, or in a new one, which is to be paid first.
    pub fn resume(&mut self, id: &str, anew: bool, on_success: bool) -> Result<(), SandboxFailure> {
        let row = self.store.subscriptions.get(id)?.clone();
        if row.status != SandboxSubscriptionStatus::Paused {
            let message = format!(
                "Only subscriptions with a `paused` status can be resumed. This subscription is `{}`.",
                row.status.as_str()
            );
            return Err(SandboxFailure::invalid(message));
        }
        let now = self.store.now;
        let mut after =
            SandboxSubscription { status: SandboxSubscriptionStatus::Active, paused: None, ..row.clone() };
        let over = row.period_end() <= now;
        if !anew && !over {
            return self.go_on(id, after);
        }
        after.billing_cycle_anchor = if anew { now } else { row.billing_cycle_anchor };
        for item in &mut after.items {
            let recurring = self.store.prices.get(&item.price)?.recurring;
            let end =
                recurring.map(|recurring| calendar::period_end(after.billing_cycle_anchor, recurring, now));
            item.period_start = now;
            item.period_end = end.unwrap_or(item.period_end);
        }
        let mut lines = std::mem::take(&mut self.store.subscriptions.get_mut(id)?.pending);
        for item in &after.items {
            let period = (item.period_start, item.period_end);
            // Until an anchor that has not moved there is a part of a period.
            lines.push(if anew {
                period_line(self, &after, item, period)?
            } else {
                debit_line(self, &after, item, period)?
            });
        }
        let invoice = self.open_invoice(NewInvoice {
            customer: row.customer.clone(),
            subscription: Some(id.to_owned()),
            reason: "subscription_update",
            lines,
            period: (now, now),
            currency: row.currency.clone(),
        })?;
        after.latest_invoice = Some(invoice.clone());
        after.pending.clear();
        self.wait_for(id, after.clone(), &invoice, true)?;
        self.finalize_invoice(&invoice)?;
        if self.store.invoices.get(&invoice)?.status != InvoiceStatus::Open {
            return Ok(());
        }
        self.store.invoices.get_mut(&invoice)?.auto_advance = false;
        self.quiet = Some(id.to_owned());
        let tried = self.collect(&invoice, None, Presence::Absent);
        self.quiet = None;
        let failed = matches!(tried?, Attempt::Declined(_) | Attempt::RequiresAction);
        if failed && !on_success {
            return self
                .go_on(id, SandboxSubscription { status: SandboxSubscriptionStatus::PastDue, ..after });
        }
        Ok(())
    }

    /// What a subscription will be when an invoice is paid.
    fn wait_for(
        &mut self,
        id: &str,
        after: SandboxSubscription,
        invoice: &str,
        resumes: bool,
    ) -> Result<(), SandboxFailure> {
        let expires_at = self.store.now.saturating_add(PENDING_S);
        let invoice = invoice.to_owned();
        let update = PendingUpdate { after: Box::new(after), invoice, expires_at, resumes };
        self.change_subscription(id, |row| row.pending_update = Some(update))
    }

    /// A change that is done only when it is paid.
    pub fn change_when_paid(
        &mut self,
        after: SandboxSubscription,
        lines: Vec<SandboxInvoiceLine>,
    ) -> Result<(), SandboxFailure> {
        let id = after.id.clone();
        let invoice = self.open_invoice(NewInvoice {
            customer: after.customer.clone(),
            subscription: Some(id.clone()),
            reason: "subscription_update",
            lines,
            period: (self.store.now, self.store.now),
            currency: after.currency.clone(),
        })?;
        let after = SandboxSubscription { latest_invoice: Some(invoice.clone()), ..after };
        self.quiet = Some(id.clone());
        let waits = self.wait_for(&id, after, &invoice, false);
        self.quiet = None;
        waits?;
        self.finalize_invoice(&invoice)?;
        if self.store.invoices.get(&invoice)?.status == InvoiceStatus::Open {
            self.store.invoices.get_mut(&invoice)?.auto_advance = false;
            self.quiet = Some(id.clone());
            let tried = self.collect(&invoice, None, Presence::Absent);
            self.quiet = None;
            tried?;
        }
        let row = self.store.subscriptions.get(&id)?;
        if row.pending_update.is_some() {
            let after = row.render(&self.store);
            let mut before = row.clone();
            before.pending_update = None;
            let before = before.render(&self.store);
            self.emit_change("customer.subscription.updated", &before, after);
        }
        Ok(())
    }

    /// The invoice that was waited for is paid, or is not asked for any more.
    pub fn apply_pending(&mut self, id: &str, invoice: &str) -> Result<bool, SandboxFailure> {
        let pending = self.store.subscriptions.get(id)?.pending_update.clone();
        let Some(pending) = pending.filter(|pending| pending.invoice == invoice) else { return Ok(false) };
        if !pending.resumes {
            let object = pending.after.render(&self.store);
            self.emit("customer.subscription.pending_update_applied", object);
        }
        self.go_on(id, *pending.after)?;
        Ok(true)
    }

    /// It is not paid in time, or is void.
    pub fn drop_pending(&mut self, id: &str, invoice: &str) -> Result<(), SandboxFailure> {
        let pending = self.store.subscriptions.get(id)?.pending_update.clone();
        let Some(pending) = pending.filter(|pending| pending.invoice == invoice) else { return Ok(()) };
        if !pending.resumes {
            let object = self.store.subscriptions.get(id)?.render(&self.store);
            self.emit("customer.subscription.pending_update_expired", object);
        }
        self.change_subscription(id, |row| row.pending_update = None)
    }

    /// The time for it is over.
    pub fn expire_pending(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let pending = self.store.subscriptions.get(id)?.pending_update.clone();
        let Some(invoice) = pending.map(|pending| pending.invoice) else { return Ok(()) };
        self.void_invoice(&invoice)
    }

    fn go_on(&mut self, id: &str, after: SandboxSubscription) -> Result<(), SandboxFailure> {
        let quiet = self.quiet.take();
        let before = self.store.subscriptions.get(id)?.clone();
        let pending =
            if after.latest_invoice == before.latest_invoice { after.pending.clone() } else { Vec::new() };
        let resumes = before.status == SandboxSubscriptionStatus::Paused
            && after.status != SandboxSubscriptionStatus::Paused;
        let shown = before.render(&self.store);
        self.store.subscriptions.put(SandboxSubscription { pending_update: None, pending, ..after });
        let after = self.store.subscriptions.get(id)?.render(&self.store);
        if resumes {
            self.emit("customer.subscription.resumed", after.clone());
        }
        self.emit_change("customer.subscription.updated", &shown, after);
        self.quiet = quiet;
        Ok(())
    }
}
