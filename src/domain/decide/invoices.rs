//! Paid invoices: a period's allocation, once, and the difference when the plan changes inside a period.
//!
//! Invoices arrive in any order. A period is known by its subscription and its own bounds, never by what came
//! before, so that every order ends in the same grants.

use std::collections::BTreeMap;

use crate::domain::{
    amount::Credits,
    catalog::Plan,
    command::{PaidPeriod, Proration, RecordPaidInvoice},
    credits::{Grant, GrantTerms, PRIORITY_DEFAULT, Slot, Source},
    event::{Draw, Event, PaymentPurpose},
    names::{GrantId, PlanId, ProviderId},
    refusal::Refusal,
    subscription::{PaidBy, Term, months_between},
    time::{Period, Timestamp},
};

use super::{draft::Draft, leaving::rest, passing::opens_month};

impl Draft<'_> {
    pub(super) fn record_paid_invoice(&mut self, invoice: &RecordPaidInvoice) -> Result<(), Refusal> {
        // Stripe reports a paid invoice under two names. The second report has nothing to add.
        if self.account.payments.has_succeeded(&invoice.invoice) {
            return Ok(());
        }
        let plan = invoice.periods.first().map(|paid| paid.plan.clone());
        let plan = plan.or_else(|| invoice.prorations.first().map(|proration| proration.to.0.clone()));
        self.record(Event::PaymentSucceeded {
            payment: invoice.invoice.clone(),
            money: invoice.money.clone(),
            purpose: PaymentPurpose::Subscription { subscription: invoice.subscription.clone(), plan },
            effective_at: invoice.effective_at,
        })?;
        let Some(subscription) = &invoice.subscription else {
            return Ok(());
        };
        for period in &invoice.periods {
            self.pay_period(invoice, subscription, period)?;
        }
        for proration in &invoice.prorations {
            self.prorate(invoice, subscription, proration)?;
        }
        for left in &invoice.left {
            self.leave(invoice, subscription, left)?;
        }
        self.pass_time()?;
        invoice.left.iter().try_for_each(|left| self.take_advance(subscription, left))
    }

    fn pay_period(
        &mut self,
        invoice: &RecordPaidInvoice,
        subscription: &ProviderId,
        paid: &PaidPeriod,
    ) -> Result<(), Refusal> {
        if self.account.subscriptions.is_paid(subscription, paid.period.start) {
            return Ok(());
        }
        let plan = self.plan_of(&paid.plan)?;
        let monthly = allocation(plan, paid.quantity)?;
        let months = months_between(paid.period.start, paid.period.end).max(1);
        let term = Term {
            subscription: subscription.clone(),
            plan: paid.plan.clone(),
            period: paid.period,
            monthly,
            carry_max: plan.rollover.map(|cap| cap.carry_max(monthly)),
            paid: Some(PaidBy { payment: invoice.invoice.clone(), cost: paid.cost.clone(), months }),
            replaces: false,
            changed_at: None,
            anchor: None,
        };
        self.record(Event::PeriodPaid { term, effective_at: invoice.effective_at })
    }

    /// The plan changed at `span.start`: gives or takes the difference for the rest of the month, and changes
    /// what the later months of a yearly period give.
    fn prorate(
        &mut self,
        invoice: &RecordPaidInvoice,
        subscription: &ProviderId,
        proration: &Proration,
    ) -> Result<(), Refusal> {
        let (to, quantity) = (self.plan_of(&proration.to.0)?.clone(), proration.to.1);
        let new = allocation(&to, quantity)?;
        let old = match &proration.from {
            Some((plan, quantity)) => allocation(self.plan_of(plan)?, *quantity)?,
            None => Credits::ZERO,
        };
        let month = self.month_around(subscription, proration);
        let part = |difference: Credits| rest(difference, month, proration.span.start);
        let slot = Slot {
            subscription: subscription.clone(),
            plan: to.id.clone(),
            period: month,
            allocation: new.max(old),
            carry_max: None,
            carried_from: None,
        };
        let id = format!("up:{}", proration.line);
        if new > old {
            self.grant_upgrade(invoice, proration, &id, part(new.saturating_sub(old)), slot)?;
        } else {
            self.take_downgrade(&slot, part(old.saturating_sub(new)))?;
        }
        if month.end < proration.span.end {
            self.change_granted_months(invoice, subscription, proration, new, month.end)?;
            self.change_later_months(invoice, subscription, proration, &to, new, month.end)?;
        }
        Ok(())
    }

    /// The month of credits in which the plan changed: counted from the start of the period if that is known,
    /// else back from its end. Both are the same, but for months that are shorter than the day they began on.
    pub(super) fn month_around(&self, subscription: &ProviderId, proration: &Proration) -> Period {
        match self.period_start(subscription, proration) {
            Some(start) => month_from(start, proration),
            None => month_back_from(proration.span.end, proration),
        }
    }

    /// Where the months of the period that the plan changed in are counted from.
    pub(super) fn anchor(&self, subscription: &ProviderId, proration: &Proration) -> Timestamp {
        let start = self.period_start(subscription, proration);
        start.unwrap_or_else(|| proration.span.end.minus_months(proration.interval.months()))
    }

    fn period_start(&self, subscription: &ProviderId, proration: &Proration) -> Option<Timestamp> {
        let (changed_at, end) = (proration.span.start, proration.span.end);
        let terms = self.account.subscriptions.terms().iter().map(|paid| &paid.term);
        let mut terms = terms.filter(|term| term.subscription == *subscription && !term.replaces);
        // A term may have been cut short by an earlier change, so its own end says nothing.
        let paid = terms.find_map(|term| {
            let whole = Period { start: term.period.start, end };
            let months = months_between(whole.start, whole.end).max(1);
            (whole.contains(changed_at) && months == proration.interval.months()).then_some(whole.start)
        });
        let reported = self.account.subscriptions.known().get(subscription).map(|terms| terms.period);
        let reported = reported.filter(|period| period.end == end && period.contains(changed_at));
        paid.or_else(|| reported.map(|period| period.start))
    }

    /// Gives or takes the difference for whole months that were granted before the change became known, up to
    /// where a later change holds.
    pub(super) fn change_granted_months(
        &mut self,
        invoice: &RecordPaidInvoice,
        subscription: &ProviderId,
        proration: &Proration,
        new: Credits,
        from: Timestamp,
    ) -> Result<(), Refusal> {
        let later = self.account.subscriptions.terms().iter().map(|paid| &paid.term).filter(|term| {
            term.subscription == *subscription && term.changed_at.is_some_and(|at| at > proration.span.start)
        });
        let until = later.map(|term| term.period.start).fold(proration.span.end, Timestamp::min);
        let span = Period { start: from, end: until };
        let grants = self.account.wallet.grants().filter(|grant| opens_month(grant));
        let slots = grants.filter_map(|grant| grant.terms.slot.as_ref());
        let mut months: BTreeMap<Timestamp, Slot> = BTreeMap::new();
        for slot in
            slots.filter(|slot| slot.subscription == *subscription && span.contains(slot.period.start))
        {
            let month = months.entry(slot.period.start).or_insert_with(|| slot.clone());
            month.allocation = month.allocation.max(slot.allocation);
        }
        // More may be carried into such a month than when it was granted.
        let carry_max = self.plan_of(&proration.to.0)?.rollover.map(|cap| cap.carry_max(new));
        for (number, month) in months.into_values().enumerate() {
            let old = month.allocation;
            let slot = Slot { plan: proration.to.0.clone(), allocation: new.max(old), carry_max, ..month };
            if new > old {
                let id = format!("up:{}:{}", proration.line, number.saturating_add(1));
                self.grant_upgrade(invoice, proration, &id, new.saturating_sub(old), slot)?;
            } else {
                self.take_downgrade(&slot, old.saturating_sub(new))?;
            }
        }
        Ok(())
    }

    fn grant_upgrade(
        &mut self,
        invoice: &RecordPaidInvoice,
        proration: &Proration,
        id: &str,
        difference: Credits,
        slot: Slot,
    ) -> Result<(), Refusal> {
        let id = GrantId::parse(id).map_err(|_| Refusal::AmountTooLarge)?;
        let amount = difference.min(self.room_in(&slot, proration.span.start.max(slot.period.start)));
        if amount.is_zero() || self.account.wallet.find(&id).is_some() {
            return Ok(());
        }
        self.check_room_for(amount)?;
        let grant = GrantTerms {
            grant_id: id,
            source: Source::Allocation,
            amount,
            starts_at: proration.span.start.max(slot.period.start),
            expires_at: Some(slot.period.end),
            priority: PRIORITY_DEFAULT,
            cost: Some(proration.cost.clone()),
            payment: Some(invoice.invoice.clone()),
            slot: Some(slot),
            reason: None,
        };
        self.grant(grant, invoice.effective_at)
    }

    /// What may still be granted for a month: the largest allocation of the plans held in it, less what was
    /// granted net. What a refund took back makes no room, since it may come back. A loop of upgrade, spend,
    /// downgrade gains nothing.
    fn room_in(&self, slot: &Slot, at: Timestamp) -> Credits {
        let (earned, granted) = self.earned_and_granted(slot, at);
        earned.saturating_sub(granted)
    }

    /// Takes back what a smaller plan does not give, from the month's allocation only, and never into debt.
    pub(super) fn take_downgrade(&mut self, slot: &Slot, difference: Credits) -> Result<(), Refusal> {
        let mut wanted = difference;
        let mut draws = Vec::new();
        for grant in self.allocations_in(&slot.subscription, slot.period.end) {
            let taken = wanted.min(grant.remaining);
            wanted = wanted.saturating_sub(taken);
            if !taken.is_zero() {
                draws.push(Draw { grant_id: grant.terms.grant_id.clone(), amount: taken });
            }
        }
        let amount = difference.saturating_sub(wanted);
        if amount.is_zero() {
            return Ok(());
        }
        self.record(Event::CreditsAdjusted {
            amount,
            draws,
            reason: format!("plan changed to {}", slot.plan),
            effective_at: self.context.at,
        })
    }

    fn change_later_months(
        &mut self,
        invoice: &RecordPaidInvoice,
        subscription: &ProviderId,
        proration: &Proration,
        plan: &Plan,
        monthly: Credits,
        from: Timestamp,
    ) -> Result<(), Refusal> {
        let period = Period { start: from, end: proration.span.end };
        let term = Term {
            subscription: subscription.clone(),
            plan: plan.id.clone(),
            period,
            monthly,
            carry_max: plan.rollover.map(|cap| cap.carry_max(monthly)),
            paid: Some(PaidBy {
                payment: invoice.invoice.clone(),
                cost: proration.cost.clone(),
                months: months_between(period.start, period.end).max(1),
            }),
            replaces: true,
            changed_at: Some(proration.span.start),
            anchor: Some(self.anchor(subscription, proration)),
        };
        self.record(Event::PeriodPaid { term, effective_at: invoice.effective_at })
    }

    /// The grants of a subscription's month that ends at `end`, rollover left out.
    pub(super) fn allocations_in<'b>(
        &'b self,
        subscription: &'b ProviderId,
        end: Timestamp,
    ) -> impl Iterator<Item = &'b Grant> {
        self.account.wallet.grants().filter(move |grant| {
            grant.terms.source == Source::Allocation
                && grant
                    .terms
                    .slot
                    .as_ref()
                    .is_some_and(|slot| slot.subscription == *subscription && slot.period.end == end)
        })
    }

    pub(super) fn plan_of(&self, id: &PlanId) -> Result<&'_ Plan, Refusal> {
        self.context.catalog.terms_of(id).ok_or_else(|| Refusal::UnknownPlan { plan: id.clone() })
    }
}

pub(super) fn allocation(plan: &Plan, quantity: u32) -> Result<Credits, Refusal> {
    plan.monthly(quantity).ok_or(Refusal::AmountTooLarge)
}

/// The month in which the plan changed, of a period that began at `start`. The last one ends with the period.
fn month_from(start: Timestamp, proration: &Proration) -> Period {
    let months = proration.interval.months();
    let boundary = |number: u32| {
        if number >= months { proration.span.end } else { start.plus_months(number) }
    };
    let number =
        (0..months).take_while(|number| boundary(*number) <= proration.span.start).last().unwrap_or(0);
    Period { start: boundary(number), end: boundary(number.saturating_add(1)) }
}

fn month_back_from(end: Timestamp, proration: &Proration) -> Period {
    let number = (0..proration.interval.months())
        .take_while(|number| end.minus_months(*number) > proration.span.start)
        .last()
        .unwrap_or(0);
    Period { start: end.minus_months(number.saturating_add(1)), end: end.minus_months(number) }
}
