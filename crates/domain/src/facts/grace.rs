//! For how long does a plan hold after a payment has failed?

use chrono::TimeDelta;

use super::Facts;
use crate::{
    invoice::{InvoiceState, UnpaidInvoice},
    payments::PaymentRecords,
    report::{SubscriptionState, SubscriptionStatus},
    time::Timestamp,
};

impl Facts {
    /// When the days of grace are over, counted from the first report of `past_due` after the last report of another
    /// status.
    /// While the renewal is known to have failed, a report of another status does not end the days: Stripe reports a
    /// subscription as active again when another of its invoices is paid, even one that charges nothing.
    pub(super) fn lapses_at(&self, payments: &PaymentRecords) -> Option<Timestamp> {
        let failed = self.renewal_failed_after(payments);
        let is_settled = |report: &SubscriptionState| {
            let is_before = failed.is_none_or(|failed| report.evidence.reported_at < failed);
            report.status != SubscriptionStatus::PastDue && is_before
        };
        if self.newest().is_none_or(is_settled) {
            return None;
        }
        let arrears = self.reports.rsplit(is_settled).next()?;
        let mut due = arrears.iter().filter(|report| report.status == SubscriptionStatus::PastDue);
        let first = due.next()?;
        let days = due.next_back().unwrap_or(first).grace_days?;
        Some(first.evidence.reported_at.plus(TimeDelta::days(i64::from(days))))
    }

    /// The end of the paid time, if the renewal's payment failed.
    fn renewal_failed_after(&self, payments: &PaymentRecords) -> Option<Timestamp> {
        let until = self.paid_until(payments)?;
        let failed = |unpaid: &UnpaidInvoice| {
            unpaid.state == InvoiceState::Failed
                && !unpaid.is_change
                && unpaid.goes_on_at(until, self.was_renewed(until))
        };
        self.unpaid.values().any(|(unpaid, _)| failed(unpaid)).then_some(until)
    }
}
