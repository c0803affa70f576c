//! A period that is left for another before it ends, as when a month becomes a year.
//!
//! What was paid for the rest is given back, and so are its credits: those that are there are taken from the month that
//! is left, and those that were spent already are what the new month begins with less. Changing to and fro gains nothing,
//! since what a month gives is never more than what the plans that were held in it give for the time that they were.

use std::collections::BTreeMap;

use super::{draft::Draft, invoices::allocation};
use crate::domain::{
    amount::{Credits, Ratio},
    command::{LeftPeriod, Proration, RecordPaidInvoice},
    credits::{Grant, Slot, Source},
    event::Event,
    names::ProviderId,
    refusal::Refusal,
    subscription::Term,
    time::{Period, Timestamp},
};

/// What was granted for a month.
struct Month {
    start: Timestamp,
    end: Timestamp,
    /// The largest allocation of the plans held in it.
    allocation: Credits,
    net: Credits,
}

impl Draft<'_> {
    /// The rest of the month is taken back, and the period's later months give nothing.
    pub(super) fn leave(
        &mut self,
        invoice: &RecordPaidInvoice,
        subscription: &ProviderId,
        left: &LeftPeriod,
    ) -> Result<(), Refusal> {
        let plan = self.plan_of(&left.plan)?;
        let (held, to_nothing) = (allocation(plan, left.quantity)?, to_nothing(invoice, left));
        let month = self.month_around(subscription, &to_nothing);
        let slot = Slot {
            subscription: subscription.clone(),
            plan: to_nothing.to.0.clone(),
            period: month,
            allocation: held,
            carry_max: None,
            carried_from: None,
        };
        self.take_downgrade(&slot, rest(held, month, left.span.start))?;
        if month.end >= left.span.end {
            return Ok(());
        }
        self.change_granted_months(invoice, subscription, &to_nothing, Credits::ZERO, month.end)?;
        let term = Term {
            subscription: subscription.clone(),
            plan: left.plan.clone(),
            period: Period { start: month.end, end: left.span.end },
            monthly: Credits::ZERO,
            carry_max: None,
            paid: None,
            replaces: true,
            changed_at: Some(left.span.start),
            anchor: Some(self.anchor(subscription, &to_nothing)),
        };
        self.record(Event::PeriodPaid { term, effective_at: invoice.effective_at })
    }

    /// Takes from the month that has begun what was spent of the rest of the months that were left for it.
    pub(super) fn take_advance(
        &mut self,
        subscription: &ProviderId,
        left: &LeftPeriod,
    ) -> Result<(), Refusal> {
        let begun = left.span.start;
        let slots = self.account.wallet.grants().filter_map(|grant| grant.terms.slot.as_ref());
        let opened = |slot: &&Slot| slot.subscription == *subscription && slot.period.start == begun;
        let Some(slot) = slots.into_iter().find(opened).cloned() else { return Ok(()) };
        let (earned, granted) = self.earned_and_granted(&slot, begun);
        self.take_downgrade(&slot, granted.saturating_sub(earned))
    }

    /// What the subscription's months that `at` is in may give, and what they gave. There are several where periods were
    /// left; of these each may give what its plan gives for the time until the next one began, and `slot`'s all of it.
    pub(super) fn earned_and_granted(&self, slot: &Slot, at: Timestamp) -> (Credits, Credits) {
        let months = self.months_around(&slot.subscription, at);
        let until = months.iter().skip(1).map(|month| month.start);
        let earned = months.iter().zip(until.chain([at])).map(|(month, until)| {
            let period = Period { start: month.start, end: month.end };
            month.allocation.saturating_sub(rest(month.allocation, period, until))
        });
        let largest = months.iter().filter(|month| month.end == slot.period.end);
        let largest = largest.map(|month| month.allocation).fold(slot.allocation, Credits::max);
        let others = months.iter().zip(earned).filter(|(month, _)| month.end != slot.period.end);
        let earned = others.map(|(_, earned)| earned).chain([largest]);
        let sum = |credits: Option<Credits>| credits.unwrap_or(Credits::MAX);
        (sum(Credits::checked_sum(earned)), sum(Credits::checked_sum(months.iter().map(|month| month.net))))
    }

    /// In the order in which they began.
    fn months_around(&self, subscription: &ProviderId, at: Timestamp) -> Vec<Month> {
        let mut months: BTreeMap<Timestamp, Month> = BTreeMap::new();
        let grants = self.account.wallet.grants();
        for grant in grants.filter(|grant| grant.terms.source == Source::Allocation) {
            let Some(slot) = &grant.terms.slot else { continue };
            if slot.subscription != *subscription || !slot.period.contains(at) {
                continue;
            }
            let Period { start, end } = slot.period;
            let month = Month { start, end, allocation: Credits::ZERO, net: Credits::ZERO };
            let month = months.entry(end).or_insert(month);
            month.start = month.start.min(start);
            month.allocation = month.allocation.max(slot.allocation);
            month.net = month.net.checked_add(net(grant)).unwrap_or(Credits::MAX);
        }
        let mut months: Vec<Month> = months.into_values().collect();
        months.sort_by_key(|month| month.start);
        months
    }
}

/// What a grant gave and was not taken back. What a refund of its payment took may come back, and counts.
fn net(grant: &Grant) -> Credits {
    grant.terms.amount.saturating_sub(grant.voided.saturating_sub(grant.clawed_back_left()))
}

/// The part of a month's allocation that is for the time from `from` on, rounded down.
pub(super) fn rest(allocation: Credits, month: Period, from: Timestamp) -> Credits {
    let share = Ratio::new(Period { start: from, end: month.end }.seconds(), month.seconds().max(1));
    share.and_then(|share| allocation.checked_mul_floor(share)).unwrap_or(Credits::ZERO)
}

/// The change inside of the period that is left: none of the new plan is in it.
fn to_nothing(invoice: &RecordPaidInvoice, left: &LeftPeriod) -> Proration {
    let to = invoice.periods.first().map_or(&left.plan, |begun| &begun.plan);
    Proration {
        line: left.line.clone(),
        from: Some((left.plan.clone(), left.quantity)),
        to: (to.clone(), 0),
        span: left.span,
        interval: left.interval,
        cost: invoice.money.clone(),
    }
}
