//! How does a subscription come to its end, or to a stop?

use crate::{
    failure::SandboxFailure,
    objects::Shown,
    state::{AfterRetries, SandboxState},
    store::{invoice::InvoiceStatus, schedule::ScheduleStatus, subscription::SandboxSubscriptionStatus},
};

use super::{invoicing::NewInvoice, payments::Presence, proration::credit_lines};

/// What somebody who cancels says.
#[derive(Clone, Debug, Default)]
pub struct CancellationDetails {
    pub comment: Option<String>,
    pub feedback: Option<String>,
}

/// What is done about the time that was paid for, by whoever cancels now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaidTime {
    /// What is not used is given back.
    pub prorate: bool,
    /// What waits for an invoice is asked for, or given back, now; else when the period would have ended.
    pub invoice_now: bool,
}

/// In which order a cancellation is told that gives money back.
const CANCELLATION: &[&str] = &[
    "customer.subscription.deleted",
    "subscription_schedule.canceled",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
    "customer.updated",
    "invoiceitem.created",
];

impl SandboxState {
    /// Somebody ends it now.
    pub fn cancel_subscription(
        &mut self,
        id: &str,
        words: CancellationDetails,
        money: PaidTime,
    ) -> Result<(), SandboxFailure> {
        let place = self.outbox.place();
        let row = self.store.subscriptions.get(id)?.clone();
        // A trial costs nothing.
        let paid_for =
            matches!(row.status, SandboxSubscriptionStatus::Active | SandboxSubscriptionStatus::PastDue);
        let mut items = Vec::new();
        if money.prorate && paid_for {
            let mut credits = Vec::new();
            for item in &row.items {
                let span = (self.store.now.min(item.period_end), item.period_end);
                credits.extend(credit_lines(self, &row, item, span)?);
            }
            self.note_credits(id, &credits)?;
            items.extend(
                credits.iter().filter_map(|line| line.as_invoice_item(&row.customer, None, self.store.now)),
            );
            self.store.subscriptions.get_mut(id)?.pending.extend(credits);
        }
        self.end_subscription(id, "cancellation_requested", words)?;
        for item in items {
            self.emit("invoiceitem.created", item);
        }
        if money.invoice_now {
            self.invoice_pending(id)?;
        }
        self.outbox.arrange(place, CANCELLATION);
        Ok(())
    }

    /// Asks for what was waiting when the subscription ended, or gives it back to the customer's balance.
    pub fn invoice_pending(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let row = self.store.subscriptions.get_mut(id)?;
        let lines = std::mem::take(&mut row.pending);
        let row = row.clone();
        if lines.is_empty() {
            return Ok(());
        }
        let invoice = self.open_invoice(NewInvoice {
            customer: row.customer.clone(),
            subscription: Some(row.id.clone()),
            reason: "subscription_update",
            lines,
            period: (self.store.now, self.store.now),
            currency: row.currency.clone(),
        })?;
        self.finalize_invoice(&invoice)?;
        if self.store.invoices.get(&invoice)?.paid_at.is_none() && row.is_automatic() {
            self.collect(&invoice, None, Presence::Absent)?;
        }
        Ok(())
    }

    /// Ends it now. `reason` is Stripe's: `cancellation_requested`, `payment_failed`, `payment_disputed`.
    pub fn end_subscription(
        &mut self,
        id: &str,
        reason: &str,
        words: CancellationDetails,
    ) -> Result<(), SandboxFailure> {
        let now = self.store.now;
        let row = self.store.subscriptions.get_mut(id)?;
        row.status = SandboxSubscriptionStatus::Canceled;
        row.ended_at = Some(now);
        // One that was scheduled keeps the time at which that was asked for.
        row.canceled_at = row.canceled_at.or(Some(now));
        row.cancellation_reason = row.cancellation_reason.clone().or_else(|| Some(reason.to_owned()));
        row.cancellation_comment = words.comment.or_else(|| row.cancellation_comment.clone());
        row.cancellation_feedback = words.feedback.or_else(|| row.cancellation_feedback.clone());
        let schedule = row.schedule.clone();
        row.paused = None;
        let object = self.store.subscriptions.get(id)?.render(&self.store);
        self.emit("customer.subscription.deleted", object);
        if let Some(schedule) = schedule {
            let over = self.store.schedules.get(&schedule)?.is_over(now);
            let status = if over { ScheduleStatus::Completed } else { ScheduleStatus::Canceled };
            self.cancel_schedule(&schedule, status)?;
        }
        self.stop_invoices(id)
    }

    /// Invoices of an ended subscription are no longer collected by themselves.
    fn stop_invoices(&mut self, subscription: &str) -> Result<(), SandboxFailure> {
        let of_it =
            |invoice: &&crate::store::invoice::Invoice| invoice.subscription.as_deref() == Some(subscription);
        let going = self
            .store
            .invoices
            .iter()
            .filter(of_it)
            .filter(|invoice| matches!(invoice.status, InvoiceStatus::Draft | InvoiceStatus::Open));
        let going: Vec<String> = going.map(|invoice| invoice.id.clone()).collect();
        for id in going {
            let invoice = self.store.invoices.get_mut(&id)?;
            invoice.auto_advance = false;
            invoice.finalizes_at = None;
            invoice.next_attempt = None;
        }
        Ok(())
    }

    /// All retries have failed.
    pub fn give_up(&mut self, subscription: &str, invoice: &str) -> Result<(), SandboxFailure> {
        if self.store.invoices.get(invoice)?.status != InvoiceStatus::Open
            || self.store.subscriptions.get(subscription)?.status.has_ended()
        {
            return Ok(());
        }
        match self.after_retries {
            AfterRetries::Cancel => {
                self.end_subscription(subscription, "payment_failed", CancellationDetails::default())
            }
            AfterRetries::Unpaid => {
                self.change_subscription(subscription, |row| row.status = SandboxSubscriptionStatus::Unpaid)
            }
            AfterRetries::Pause | AfterRetries::PauseAtOnce => {
                self.pause_subscription(subscription, "final_payment_failure")
            }
            AfterRetries::PastDue => {
                self.change_subscription(subscription, |row| row.status = SandboxSubscriptionStatus::PastDue)
            }
        }
    }

    /// A first payment that did not come within a day.
    pub fn expire_incomplete(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let latest = self.store.subscriptions.get(id)?.latest_invoice.clone();
        let now = self.store.now;
        self.change_subscription(id, |row| {
            row.status = SandboxSubscriptionStatus::IncompleteExpired;
            row.ended_at = Some(now);
        })?;
        match latest {
            Some(invoice) => self.void_invoice(&invoice),
            None => Ok(()),
        }
    }
}
