//! How much of a payment was returned?

use std::collections::BTreeMap;

use super::{Dispute, DisputeState, PaymentRecords};
use crate::{
    amount::{Credits, Currency},
    fraction::Fraction,
    ids::ProviderId,
};

/// How much of a payment was returned, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    pub returned: i64,
    /// How much was paid. `None`: unknown, and then no share can be computed.
    pub paid: Option<i64>,
    /// Whether all of it counts as returned, because a dispute over an unknown amount was lost.
    pub whole: bool,
}

impl Returned {
    /// The share of `amount` for which money was returned: `floor(amount × returned ÷ paid)`.
    #[must_use]
    pub fn share_of(&self, amount: Credits) -> Credits {
        if self.whole {
            return amount;
        }
        let paid = self.paid.unwrap_or(0).max(0);
        let returned = self.returned.clamp(0, paid);
        let share = Fraction::new(returned.into(), paid.into());
        share.and_then(|share| amount.checked_mul_floor(share)).unwrap_or(Credits::ZERO)
    }

    /// Whether all of it was returned.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.whole || self.paid.is_some_and(|paid| paid > 0 && paid <= self.returned)
    }
}

impl PaymentRecords {
    /// How much of an invoice or payment was returned: by refunds that did not fail, lost disputes and credit notes.
    /// The part for which money never came counts as returned, too.
    #[must_use]
    pub fn returned(&self, bought: &ProviderId) -> Returned {
        let Returned { returned, paid, whole } = self.gone_back(bought);
        let unbacked = self.unbacked.part(bought);
        Returned {
            returned: returned.saturating_add(unbacked.lacking()),
            paid: paid.map(|paid| paid.saturating_add(unbacked.set_off)),
            whole,
        }
    }

    /// How much of the money that came was returned.
    #[must_use]
    pub(crate) fn gone_back(&self, bought: &ProviderId) -> Returned {
        let by_invoice = self.invoices.values().any(|invoice| invoice == bought);
        let refunds = self.refunds.iter().filter(|(payment, _)| self.bought_by(payment) == bought);
        let refunded = refunds.fold(0_i64, |sum, (_, refunds)| sum.saturating_add(refunds.net()));
        let credited = self.credited(bought);
        let lost = self.disputes_of(bought).filter(|(_, dispute)| dispute.state == DisputeState::Lost);
        let (mut returned, mut whole) = (refunded.saturating_add(credited), false);
        let before = returned;
        for (_, dispute) in lost {
            match self.lost(bought, dispute) {
                Some(minor) => returned = returned.saturating_add(minor),
                None => whole = true,
            }
        }
        let total = self.refunds.get(bought).and_then(|refunds| refunds.paid).filter(|_| !by_invoice);
        let invoiced = self.invoiced.get(bought).map(|invoiced| invoiced.total);
        let succeeded = self.succeeded.get(bought).map(|paid| paid.minor);
        // Credits may name the payment, if they were bought before its invoice was known.
        // They still count for the invoice.
        let paid = invoiced.or(total).or(succeeded).or_else(|| self.paid_for(bought));
        whole |= paid.is_none_or(|paid| paid <= 0) && returned > before;
        Returned { returned, paid, whole }
    }

    /// The share of `amount`, which an invoice gave or took, that is undone because its money was returned.
    #[must_use]
    pub fn undone(&self, invoice: &ProviderId, amount: Credits) -> Credits {
        if self.has_returned() { self.returned(invoice).share_of(amount) } else { Credits::ZERO }
    }

    /// How much credit notes took off an invoice, before and after it was paid, in minor units.
    fn credited(&self, invoice: &ProviderId) -> i64 {
        let before = self.invoiced.get(invoice).map_or(0, |invoiced| invoiced.credited);
        before.saturating_add(self.noted(invoice))
    }

    /// How much credit notes took off an invoice after it was paid, apart from refunds, in minor units.
    pub(super) fn noted(&self, invoice: &ProviderId) -> i64 {
        let notes = self.notes.get(invoice).into_iter().flat_map(BTreeMap::values);
        let notes = notes.filter(|note| !note.voided);
        notes.fold(0, |sum, note| sum.saturating_add(note.money.minor))
    }

    /// How much a lost dispute took.
    /// `None`: all of it, if the amount is unknown or in another currency than the payment.
    fn lost(&self, bought: &ProviderId, dispute: &Dispute) -> Option<i64> {
        let amount = dispute.amount.as_ref()?;
        let currency: Option<&Currency> = self.succeeded.get(bought).map(|paid| &paid.currency);
        currency.is_none_or(|currency| *currency == amount.currency).then_some(amount.minor)
    }

    /// The sum of the invoice's payments that are known to have succeeded.
    fn paid_for(&self, invoice: &ProviderId) -> Option<i64> {
        let payments = self.invoices.iter().filter(|(_, paid)| *paid == invoice);
        let mut paid = payments.filter_map(|(payment, _)| self.succeeded.get(payment)).peekable();
        paid.peek()?;
        Some(paid.fold(0_i64, |sum, paid| sum.saturating_add(paid.minor)))
    }
}
