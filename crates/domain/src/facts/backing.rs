//! Is there money behind what an invoice gives back?

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::Facts;
use crate::{
    ids::ProviderId,
    invoice::ReturnedCredits,
    months::KnownInvoice,
    time::Timestamp,
    unbacked::{Lack, Unbacked},
};

/// How far apart the reports of events that happen together can be.
const TOLD_TOGETHER: TimeDelta = TimeDelta::hours(1);

impl Facts {
    /// The invoice without the lines that give back something that was never paid.
    pub(super) fn without_unbacked(&self, known: &KnownInvoice) -> KnownInvoice {
        let is_all = |of: &ProviderId| self.unbacked.get(of).is_some_and(|lack| lack.is_all());
        let mut backed = known.clone();
        backed.invoice.lines.retain(|line| !known.invoice.other_given_back(line).is_some_and(is_all));
        backed
    }

    /// Whether `unbacked` changes what is known of the invoices of which something is given back.
    pub(crate) fn is_unbacked_otherwise(&self, unbacked: &Unbacked) -> bool {
        self.unbacked != self.unbacked_of(unbacked)
    }

    /// Stores how much money is missing for the invoices of which something is given back.
    pub(crate) fn leave_unbacked(&mut self, unbacked: &Unbacked) {
        self.unbacked = self.unbacked_of(unbacked);
        self.work_out();
    }

    fn unbacked_of(&self, unbacked: &Unbacked) -> BTreeMap<ProviderId, Lack> {
        let given_back = self
            .invoices
            .iter()
            .map(|known| &known.invoice)
            .flat_map(|invoice| invoice.lines.iter().filter_map(|line| invoice.other_given_back(line)));
        given_back.filter_map(|invoice| Some((invoice.clone(), unbacked.lack(invoice)?))).collect()
    }

    /// The invoices of which something is given back, and for which no money is known to have come.
    /// Charges from before the first report of the subscription are assumed to have been paid, and so are those of a
    /// subscription that has moved between accounts, since the other account may have paid them.
    pub(crate) fn given_back_unpaid(&self) -> impl Iterator<Item = &ProviderId> {
        let given_back = self.invoices.iter().flat_map(|known| &known.invoice.gives_back);
        let unpaid = given_back.filter(|(of, given_back)| {
            let is_heard_of = || !self.was_moved() && self.knew_of_it(self.charged_at(of, given_back));
            !self.knows_invoice(of) && (self.unpaid.contains_key(*of) || is_heard_of())
        });
        unpaid.map(|(of, _)| of)
    }

    fn was_moved(&self) -> bool {
        self.reports.iter().any(|report| report.moved_to.is_some())
    }

    /// The earliest time at which this invoice, of which something is given back, can have been made.
    fn charged_at(&self, of: &ProviderId, given_back: &ReturnedCredits) -> Timestamp {
        let lines = self.invoices.iter().flat_map(|known| &known.invoice.lines);
        let of_plan = lines.filter(|line| line.gives_back.as_ref() == Some(of));
        let of_plan = of_plan.map(|line| line.period.end.minus_months(line.months)).min();
        let reported = || {
            let periods = self.reports.iter().map(|report| report.period);
            periods.filter(|period| period.end == given_back.until).map(|period| period.start).min()
        };
        of_plan.or_else(reported).unwrap_or(given_back.until)
    }

    /// Whether there was a report of the subscription by `at` or soon after: what happens together is reported one
    /// after the other.
    fn knew_of_it(&self, at: Timestamp) -> bool {
        let reported = self.reports.iter().map(|report| report.evidence.reported_at);
        let made = self.invoices.iter().map(|known| known.invoice.created_at);
        reported.chain(made).min().is_some_and(|first| first <= at.plus(TOLD_TOGETHER))
    }
}
