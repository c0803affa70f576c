//! Which plan does a subscription give at a time, and which part of it is paid for?

use chrono::TimeDelta;

use super::{Facts, PlanConditions};
use crate::{
    ids::{PlanId, ProviderId},
    invoice::{InvoiceState, UnpaidInvoice},
    months::HeldLine,
    payments::PaymentRecords,
    report::{SubscriptionState, SubscriptionStatus},
    time::Timestamp,
};

impl Facts {
    /// The plan that the subscription gives at `at`, if it gives one.
    pub(crate) fn plan(&self, at: Timestamp, known: PlanConditions<'_>) -> Option<&PlanId> {
        let payments = known.payments;
        let Some(report) = self.newest() else { return self.plan_paid(at, payments) };
        if report.has_ended(at) {
            return self.plan_paid(at, payments);
        }
        match report.status {
            SubscriptionStatus::Trialing if report.trial_end.is_none_or(|end| at < end) => Some(&report.plan),
            SubscriptionStatus::Trialing | SubscriptionStatus::Active | SubscriptionStatus::PastDue => {
                self.plan_active(report, at, known)
            }
            SubscriptionStatus::Incomplete
            | SubscriptionStatus::Unpaid
            | SubscriptionStatus::Paused
            | SubscriptionStatus::Cancelled => None,
        }
        .filter(|_| report.quantity > 0)
    }

    /// The plan while the status is active or past due.
    /// The status does not mean that it is paid: a period that is known to be unpaid, or was refunded, gives nothing.
    fn plan_active<'a>(
        &'a self,
        report: &'a SubscriptionState,
        at: Timestamp,
        known: PlanConditions<'_>,
    ) -> Option<&'a PlanId> {
        let paid = self.plan_paid(at, known.payments);
        if paid.is_none() && self.is_over(at, known) {
            return None;
        }
        // While a period is not paid, the plan is the one that was paid for last.
        let last = || self.paid_until(known.payments).map(|end| end.minus(TimeDelta::seconds(1)).min(at));
        let then = if paid.is_some() { at } else { last().unwrap_or(at) };
        let held = paid.or_else(|| self.plan_paid(then, known.payments));
        let is_unpaid = || match paid {
            Some(_) => self.charge_is_unpaid(&report.plan, at),
            None => self.change_is_unpaid(&report.plan, [at, then]),
        };
        match held {
            Some(held)
                if held != &report.plan
                    && (is_unpaid() || self.was_returned(&report.plan, then, known.payments)) =>
            {
                Some(held)
            }
            Some(_) | None => Some(&report.plan),
        }
    }

    /// Whether a charge for this plan at `at` is known to be unpaid. A renewal that awaits its payment does not count.
    fn charge_is_unpaid(&self, plan: &PlanId, at: Timestamp) -> bool {
        let counts = |unpaid: &UnpaidInvoice| {
            unpaid.state != InvoiceState::Open || unpaid.is_change || !self.has_paid()
        };
        self.unpaid.values().any(|(unpaid, _)| counts(unpaid) && unpaid.charges_for(plan, at))
    }

    /// The unpaid invoice of a change inside of the period that runs at `at`, if there is one.
    #[must_use]
    pub fn unpaid_change(&self, at: Timestamp) -> Option<&UnpaidInvoice> {
        let goes_on = |unpaid: &UnpaidInvoice| unpaid.charges.iter().any(|charge| charge.period.contains(at));
        let mut unpaid = self.unpaid.values().map(|(unpaid, _)| unpaid);
        unpaid.find(|unpaid| unpaid.is_change && goes_on(unpaid))
    }

    /// The same for changes only, at any of these times: for a time at which the renewal is not paid either.
    fn change_is_unpaid(&self, plan: &PlanId, times: [Timestamp; 2]) -> bool {
        let charges = |unpaid: &UnpaidInvoice| times.iter().any(|at| unpaid.charges_for_change(plan, *at));
        self.unpaid.values().any(|(unpaid, _)| charges(unpaid))
    }

    /// Whether the plan has ended at `at`, which is not paid for: the money will not come any more, or was returned.
    fn is_over(&self, at: Timestamp, known: PlanConditions<'_>) -> bool {
        self.is_unpaid(at, known.payments)
            || self.lapses_at(known.payments).is_some_and(|lapses| lapses <= at)
            || self.is_refunded(at, known.payments)
            || self.bridged_until(known).is_some_and(|until| until <= at)
    }

    /// Whether the plan was paid for, and all of its last payment was refunded.
    fn was_returned(&self, plan: &PlanId, at: Timestamp, payments: &PaymentRecords) -> bool {
        let of_plan = |line: &&HeldLine| line.quantity > 0 && line.plan == *plan && line.period.contains(at);
        let last = || self.held.iter().rfind(of_plan);
        payments.has_returned() && last().is_some_and(|line| payments.returned(&line.invoice).is_all())
    }

    /// The lines that hold at `at`, without those of periods whose money was returned.
    fn held_at<'s, 'p>(
        &'s self,
        at: Timestamp,
        payments: &'p PaymentRecords,
    ) -> impl DoubleEndedIterator<Item = &'s HeldLine> + use<'s, 'p> {
        let returns = payments.has_returned();
        let is_back = move |invoice: &ProviderId| returns && payments.returned(invoice).is_all();
        let held = self.held.iter().filter(move |line| line.period.contains(at));
        // If the whole invoice was refunded, the part of it that another line gives back is already gone.
        held.filter(move |line| !is_back(&line.invoice) && !line.gives_back.as_ref().is_some_and(is_back))
    }

    /// The quantity of a plan that was paid for and not given back.
    pub(super) fn quantity_paid(&self, plan: &PlanId, at: Timestamp, payments: &PaymentRecords) -> i64 {
        let of_plan = self.held_at(at, payments).filter(|line| line.plan == *plan);
        of_plan.fold(0_i64, |sum, line| sum.saturating_add(line.quantity))
    }

    /// The plan that was paid for and not given back; of several, the one whose line began last.
    pub(super) fn plan_paid(&self, at: Timestamp, payments: &PaymentRecords) -> Option<&PlanId> {
        let counts = |line: &&HeldLine| line.quantity > 0 && self.quantity_paid(&line.plan, at, payments) > 0;
        self.held_at(at, payments).rfind(counts).map(|line| &line.plan)
    }
}
