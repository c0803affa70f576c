//! How does a subscription come to its end, or to a stop?

use crate::sandbox::{
    failure::Failure,
    objects::{invoice::Status as InvoiceStatus, schedule::Status as ScheduleStatus, subscription::Status},
    state::{AfterRetries, State},
    table::Stored,
};

/// What somebody who cancels says.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub comment: Option<String>,
    pub feedback: Option<String>,
}

impl State {
    /// Ends it now. `reason` is Stripe's: `cancellation_requested`, `payment_failed`, `payment_disputed`.
    pub fn end_subscription(&mut self, id: &str, reason: &str, words: Words) -> Result<(), Failure> {
        let now = self.now;
        let row = self.subscriptions.get_mut(id)?;
        row.status = Status::Canceled;
        row.ended_at = Some(now);
        // One that was scheduled keeps the time at which that was asked for.
        row.canceled_at = row.canceled_at.or(Some(now));
        row.cancellation_reason = row.cancellation_reason.clone().or_else(|| Some(reason.to_owned()));
        row.cancellation_comment = words.comment.or_else(|| row.cancellation_comment.clone());
        row.cancellation_feedback = words.feedback.or_else(|| row.cancellation_feedback.clone());
        row.pending.clear();
        let schedule = row.schedule.clone();
        row.paused = None;
        let object = self.subscriptions.get(id)?.render(self);
        self.emit("customer.subscription.deleted", object);
        if let Some(schedule) = schedule {
            let over = self.schedules.get(&schedule)?.is_over(now);
            let status = if over { ScheduleStatus::Completed } else { ScheduleStatus::Canceled };
            self.cancel_schedule(&schedule, status)?;
        }
        self.stop_invoices(id)
    }

    /// Invoices of an ended subscription are no longer collected by themselves.
    fn stop_invoices(&mut self, subscription: &str) -> Result<(), Failure> {
        let of_it = |invoice: &&crate::sandbox::objects::invoice::Invoice| {
            invoice.subscription.as_deref() == Some(subscription)
        };
        let going = self
            .invoices
            .iter()
            .filter(of_it)
            .filter(|invoice| matches!(invoice.status, InvoiceStatus::Draft | InvoiceStatus::Open));
        let going: Vec<String> = going.map(|invoice| invoice.id.clone()).collect();
        for id in going {
            let invoice = self.invoices.get_mut(&id)?;
            invoice.auto_advance = false;
            invoice.finalizes_at = None;
            invoice.next_attempt = None;
        }
        Ok(())
    }

    /// All retries have failed.
    pub fn give_up(&mut self, subscription: &str, invoice: &str) -> Result<(), Failure> {
        if self.invoices.get(invoice)?.status != InvoiceStatus::Open
            || self.subscriptions.get(subscription)?.status.has_ended()
        {
            return Ok(());
        }
        match self.after_retries {
            AfterRetries::Cancel => self.end_subscription(subscription, "payment_failed", Words::default()),
            AfterRetries::Unpaid => self.change_subscription(subscription, |row| row.status = Status::Unpaid),
            AfterRetries::PastDue => {
                self.change_subscription(subscription, |row| row.status = Status::PastDue)
            }
        }
    }

    /// It stands still until it is resumed.
    pub fn pause_subscription(&mut self, id: &str, reason: &'static str) -> Result<(), Failure> {
        let now = self.now;
        let row = self.subscriptions.get_mut(id)?;
        row.status = Status::Paused;
        row.paused = Some((reason, now));
        let object = self.subscriptions.get(id)?.render(self);
        self.emit("customer.subscription.paused", object);
        Ok(())
    }

    /// A first payment that did not come within a day.
    pub fn expire_incomplete(&mut self, id: &str) -> Result<(), Failure> {
        let latest = self.subscriptions.get(id)?.latest_invoice.clone();
        let now = self.now;
        self.change_subscription(id, |row| {
            row.status = Status::IncompleteExpired;
            row.ended_at = Some(now);
        })?;
        match latest {
            Some(invoice) => self.void_invoice(&invoice),
            None => Ok(()),
        }
    }
}
