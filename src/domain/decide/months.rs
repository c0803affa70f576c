//! The months of subscriptions: what was granted is brought to what should have been.
//!
//! What a month should have given follows from facts alone ([`crate::domain::months`]). Here it is compared with what was
//! granted and taken, and the difference becomes events. Whatever came late, twice or in another order is so made up for.

use crate::domain::{
    amount::Credits,
    credits::{Grant, GrantTerms, PRIORITY_DEFAULT, Slot, Source},
    event::Event,
    facts::Facts,
    months::{Month, Piece},
    names::{GrantId, PlanId, ProviderId},
    refusal::Refusal,
    subscription::SubscriptionTerms,
    time::{Period, Timestamp},
};

use super::{
    draft::Draft,
    lots::{Lot, Target, sum},
    rolling::opens_month,
};

/// How far a month is from what it should have given.
struct Balance {
    /// What was paid for and was not given back.
    due: Credits,
    target: Target,
    granted: Credits,
    taken: Credits,
}

/// What one invoice gave of a month, and is to give.
struct OwnPart {
    due: Credits,
    granted: Credits,
    taken: Credits,
    lot: Lot,
}

impl Draft<'_> {
    /// Brings every month that something was granted for to what all that is known says of it, as of `at`.
    /// Months for which nothing was granted yet are due by the clock.
    pub(super) fn settle_months(&mut self, at: Timestamp) -> Result<(), Refusal> {
        let months = self.opened_months();
        // What is given again pays what is owed, also what is owed for another month since now.
        let (less, more): (Vec<_>, Vec<_>) =
            months.into_iter().partition(|(id, month)| self.has_too_much(id, month));
        for (id, month) in less.iter().chain(&more) {
            self.settle_month(id, month, at)?;
        }
        let ids: Vec<ProviderId> = self.account.subscriptions.facts().keys().cloned().collect();
        for id in ids {
            self.settle_trial(&id, at)?;
        }
        self.move_ends()
    }

    /// The months that something was granted for.
    fn opened_months(&self) -> Vec<(ProviderId, Month)> {
        let facts = self.account.subscriptions.facts().iter();
        let months = facts.flat_map(|(id, facts)| {
            let opened = facts.months().iter().filter(|month| facts.is_opened(month)).cloned();
            opened.chain(facts.months_that_were_none()).map(|month| (id.clone(), month))
        });
        months.collect()
    }

    fn has_too_much(&self, subscription: &ProviderId, month: &Month) -> bool {
        let Balance { due, granted, taken, .. } = self.balance_of(subscription, month);
        due < granted.saturating_sub(taken)
    }

    /// The first month that has begun, for which something is due and nothing was granted yet.
    pub(super) fn month_to_open(&self) -> Option<(ProviderId, Month)> {
        let at = self.context.at;
        let subscriptions = &self.account.subscriptions;
        if !subscriptions.facts().values().any(|facts| facts.has_begun(at)) {
            return None;
        }
        let begun = subscriptions.closed_months().filter(|(_, month)| month.period.start <= at);
        let due = begun.filter(|(_, month)| !self.account.month_due(month).is_zero());
        let first = due.min_by_key(|(id, month)| (month.due_at(), *id))?;
        Some((first.0.clone(), first.1.clone()))
    }

    pub(super) fn open_month(&mut self, subscription: &ProviderId, month: &Month) -> Result<(), Refusal> {
        let due = self.balance_of(subscription, month).due;
        self.grant_missing(subscription, month, due)
    }

    /// Each invoice gives or takes what is its own first. What cannot be taken of it is taken of the month's other credits,
    /// and what was spent is owed, as far as money came back for it.
    pub(super) fn settle_month(
        &mut self,
        subscription: &ProviderId,
        month: &Month,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let Balance { due, target, granted, taken } = self.balance_of(subscription, month);
        let there = granted.saturating_sub(taken);
        if there < due {
            return self.give_missing(subscription, month, due.saturating_sub(there), at);
        }
        if due < there {
            self.take_own(subscription, month, there.saturating_sub(due), at)?;
            self.bring(subscription, month, target, at)?;
        }
        Ok(())
    }

    /// Gives again what was taken of an invoice's credits, and grants the rest of what is missing.
    fn give_missing(
        &mut self,
        subscription: &ProviderId,
        month: &Month,
        missing: Credits,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let mut missing = missing;
        for own in self.own_parts(subscription, month) {
            let wanted = own.due.saturating_sub(own.granted.saturating_sub(own.taken)).min(missing);
            let kept = own.granted.saturating_sub(own.due);
            let again = wanted.min(own.taken.saturating_sub(kept));
            if !again.is_zero() {
                let target = own.taken.saturating_sub(again);
                self.bring_to(&own.lot, Target { amount: target, owed: Credits::ZERO }, at)?;
            }
            missing = missing.saturating_sub(again);
        }
        self.grant_missing(subscription, month, missing)
    }

    /// Takes what is left of what an invoice gave more than it is to give.
    fn take_own(
        &mut self,
        subscription: &ProviderId,
        month: &Month,
        excess: Credits,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let mut excess = excess;
        for own in self.own_parts(subscription, month) {
            let there = own.granted.saturating_sub(own.taken);
            let wanted = there.saturating_sub(own.due).min(excess);
            if !wanted.is_zero() {
                let amount = own.taken.checked_add(wanted).unwrap_or(Credits::MAX);
                self.bring_to(&own.lot, Target { amount, owed: Credits::ZERO }, at)?;
                excess = excess.saturating_sub(wanted);
            }
        }
        Ok(())
    }

    /// What each invoice gave and is to give of a month.
    fn own_parts(&self, subscription: &ProviderId, month: &Month) -> Vec<OwnPart> {
        let due = self.account.month_due_by_invoice(month);
        let lot = self.lot_of(subscription, month.period.end);
        let of = |invoice: &ProviderId| {
            let own: Vec<&Grant> = lot
                .iter()
                .filter_map(|id| self.account.wallet.find(id))
                .filter(|grant| grant.terms.payment.as_ref() == Some(invoice))
                .collect();
            let allocated = own.iter().filter(|grant| grant.terms.source == Source::Allocation);
            OwnPart {
                due: due
                    .iter()
                    .filter(|(of, _)| of == invoice)
                    .map(|(_, due)| *due)
                    .next()
                    .unwrap_or(Credits::ZERO),
                granted: sum(allocated.map(|grant| grant.terms.amount)),
                taken: sum(own.iter().map(|grant| grant.clawed_back)),
                lot: Lot {
                    grants: own.iter().map(|grant| grant.terms.grant_id.clone()).collect(),
                    payment: invoice.clone(),
                },
            }
        };
        let mut invoices: Vec<ProviderId> = due.iter().map(|(invoice, _)| invoice.clone()).collect();
        let paid = lot.iter().filter_map(|id| self.account.wallet.find(id)?.terms.payment.clone());
        invoices.extend(paid);
        let mut seen = std::collections::BTreeSet::new();
        invoices.retain(|invoice| seen.insert(invoice.clone()));
        invoices.iter().map(of).collect()
    }

    fn bring(
        &mut self,
        subscription: &ProviderId,
        month: &Month,
        target: Target,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let grants = self.lot_of(subscription, month.period.end);
        let payment = month.pieces.first().map_or(subscription, |piece| &piece.invoice).clone();
        self.bring_to(&Lot { grants, payment }, target, at)
    }

    fn balance_of(&self, subscription: &ProviderId, month: &Month) -> Balance {
        let own: Vec<&Grant> = self.grants_of_month(subscription, month.period.end).collect();
        let paid_for = month.paid_for();
        let due = self.account.month_due(month);
        let kept = paid_for.saturating_sub(self.account.month_taken(month));
        let granted = sum(own.iter().map(|grant| grant.terms.amount));
        let lot = self.lot_of(subscription, month.period.end);
        let taken = lot.iter().filter_map(|id| self.account.wallet.find(id)).map(|grant| grant.clawed_back);
        let target = Target { amount: granted.saturating_sub(due), owed: granted.saturating_sub(kept) };
        Balance { due, target, granted, taken: sum(taken) }
    }

    /// What was granted for a month, without what was carried on of it, and without what was granted before invoices were kept
    /// with their lines.
    fn grants_of_month<'b>(
        &'b self,
        subscription: &'b ProviderId,
        month_end: Timestamp,
    ) -> impl Iterator<Item = &'b Grant> {
        let facts = self.account.subscriptions.facts().get(subscription);
        self.account.wallet.grants().filter(move |grant| {
            let slot = grant.terms.slot.as_ref();
            grant.terms.source == Source::Allocation
                && slot
                    .is_some_and(|slot| slot.subscription == *subscription && slot.month_end() == month_end)
                && facts
                    .zip(grant.terms.payment.as_ref())
                    .is_some_and(|(facts, paid)| facts.knows_invoice(paid))
        })
    }

    /// The grants of a month: what ends first, and of that the last that was paid for, since an upgrade is what is taken back
    /// first; then what was carried on.
    fn lot_of(&self, subscription: &ProviderId, month_end: Timestamp) -> Vec<GrantId> {
        let mut own: Vec<&Grant> = self.grants_of_month(subscription, month_end).collect();
        own.sort_by_key(|grant| {
            (grant.ends_at(), std::cmp::Reverse((grant.terms.starts_at, &grant.terms.grant_id)))
        });
        let mut lot: Vec<GrantId> = own.iter().map(|grant| grant.terms.grant_id.clone()).collect();
        let mut index = 0;
        while let Some(from) = lot.get(index).cloned() {
            lot.extend(self.carried_from(&from));
            index = index.saturating_add(1);
        }
        lot
    }

    fn carried_from(&self, from: &GrantId) -> Vec<GrantId> {
        let carried = self.account.wallet.grants().filter(|grant| {
            let slot = grant.terms.slot.as_ref();
            grant.terms.source == Source::Rollover
                && slot.and_then(|slot| slot.carried_from.as_ref()) == Some(from)
        });
        carried.map(|grant| grant.terms.grant_id.clone()).collect()
    }

    /// Grants what is missing of a month, by what paid for it, the earliest first.
    fn grant_missing(
        &mut self,
        subscription: &ProviderId,
        month: &Month,
        missing: Credits,
    ) -> Result<(), Refusal> {
        let mut missing = missing;
        for piece in &month.pieces {
            let parts = self.own_parts(subscription, month);
            let own = parts.iter().find(|own| own.lot.payment == piece.invoice);
            let wanted = own
                .map_or(Credits::ZERO, |own| own.due.saturating_sub(own.granted.saturating_sub(own.taken)));
            let number = own.map_or(0, |own| own.lot.grants.len());
            let amount = missing.min(wanted).min(piece.amount);
            if !amount.is_zero() {
                missing = missing.saturating_sub(amount);
                self.grant_piece(subscription, month, piece, amount, number)?;
            }
        }
        Ok(())
    }

    fn grant_piece(
        &mut self,
        subscription: &ProviderId,
        month: &Month,
        piece: &Piece,
        amount: Credits,
        number: usize,
    ) -> Result<(), Refusal> {
        self.check_room_for(amount)?;
        let opens = piece.from == month.period.start && piece.life.is_none();
        let opens = opens && !self.grants_of_month(subscription, month.period.end).any(opens_month);
        let id = self.id_of_piece(subscription, month, piece, (opens, number))?;
        let period = piece.life.unwrap_or(month.period);
        let starts_at = piece.life.map_or(piece.from, |life| life.start);
        let grant = GrantTerms {
            grant_id: id,
            source: Source::Allocation,
            amount,
            starts_at,
            expires_at: Some(period.end),
            priority: PRIORITY_DEFAULT,
            cost: (!month.free).then(|| piece.cost.clone()),
            payment: Some(piece.invoice.clone()),
            slot: Some(Slot {
                subscription: subscription.clone(),
                plan: piece.plan.clone(),
                period,
                allocation: month.allocation.max(amount),
                carry_max: opens.then(|| month.carry_max.unwrap_or(Credits::ZERO)),
                carried_from: None,
                paid_month_end: piece.life.map(|_| month.period.end),
            }),
            reason: None,
        };
        self.grant(grant, starts_at.min(self.context.at))
    }

    /// The id of what opens a month names the month; any other names the invoice's line.
    fn id_of_piece(
        &self,
        subscription: &ProviderId,
        month: &Month,
        piece: &Piece,
        (opens, number): (bool, usize),
    ) -> Result<GrantId, Refusal> {
        let start = month.period.start;
        let named = if opens && number == 0 {
            format!("month:{subscription}:{}", start.seconds())
        } else if piece.from > start {
            format!("up:{}", piece.line)
        } else {
            format!("up:{}:{}", piece.line, start.seconds())
        };
        let tries = std::iter::once(named.clone()).chain((1..).map(|try_| format!("{named}:{try_}")));
        let ids = tries.map(|id| GrantId::parse(&id).map_err(|_| Refusal::AmountTooLarge));
        let mut free = ids
            .filter(|id| id.as_ref().is_ok_and(|id| self.account.wallet.find(id).is_none()) || id.is_err());
        free.next().unwrap_or(Err(Refusal::AmountTooLarge))
    }

    /// What a trial gives: that of the plan that it began with, once per account and plan, so that trying again gains
    /// nothing, and neither does a change inside of it.
    pub(super) fn settle_trial(&mut self, subscription: &ProviderId, at: Timestamp) -> Result<(), Refusal> {
        let Some((plan, wanted, period)) = self.trial_of(subscription) else { return Ok(()) };
        let own = self.account.wallet.grants().filter(|grant| {
            let slot = grant.terms.slot.as_ref();
            grant.terms.source == Source::Bonus && slot.is_some_and(|slot| slot.subscription == *subscription)
        });
        let own: Vec<&Grant> = own.collect();
        let granted = sum(own.iter().map(|grant| grant.terms.amount));
        let taken = sum(own.iter().map(|grant| grant.clawed_back));
        let grants: Vec<GrantId> = own.iter().map(|grant| grant.terms.grant_id.clone()).collect();
        if !grants.is_empty() {
            let target = Target { amount: granted.saturating_sub(wanted), owed: Credits::ZERO };
            self.bring_to(&Lot { grants, payment: subscription.clone() }, target, at)?;
        }
        let missing =
            wanted.saturating_sub(granted.saturating_sub(taken)).min(wanted.saturating_sub(granted));
        let known = if granted.is_zero() { String::new() } else { format!(":{granted}") };
        let names = [format!("trial:{plan}{known}"), format!("trial:{plan}:{subscription}{known}")];
        let names = names.iter().filter_map(|name| GrantId::parse(name).ok());
        let free = names.into_iter().find(|id| self.account.wallet.find(id).is_none());
        let Some(id) = free.filter(|_| !missing.is_zero()) else { return Ok(()) };
        self.grant_trial(subscription, &plan, (id, missing), period)
    }

    /// The plan, the credits and the time of a trial that has not ended.
    fn trial_of(&self, subscription: &ProviderId) -> Option<(PlanId, Credits, Period)> {
        let facts = self.account.subscriptions.facts().get(subscription)?;
        let first = facts.trial()?;
        // A plan without credits for its trial takes back what another one gave that turned out not to be the first.
        let plan = self.context.catalog.terms_of(&first.plan).filter(|_| self.is_first_trial(first));
        let credits = plan.and_then(|plan| Some(plan.trial.as_ref()?.credits)).unwrap_or(Credits::ZERO);
        let period = Period { start: first.period.start, end: facts.trial_end()? };
        (self.context.at < period.end).then(|| (first.plan.clone(), credits, period))
    }

    /// Whether no other subscription has tried the plan before, by all that is known now.
    fn is_first_trial(&self, trial: &SubscriptionTerms) -> bool {
        let trials = self.account.subscriptions.facts().values().filter_map(|facts| facts.trial());
        let of_plan = trials.filter(|other| other.plan == trial.plan);
        let first = of_plan.min_by_key(|other| (other.period.start, &other.subscription));
        first.is_none_or(|first| first.subscription == trial.subscription)
    }

    fn grant_trial(
        &mut self,
        subscription: &ProviderId,
        plan: &PlanId,
        (grant_id, amount): (GrantId, Credits),
        period: Period,
    ) -> Result<(), Refusal> {
        self.check_room_for(amount)?;
        let slot = Slot {
            subscription: subscription.clone(),
            plan: plan.clone(),
            period,
            allocation: amount,
            carry_max: None,
            carried_from: None,
            paid_month_end: None,
        };
        let grant = GrantTerms {
            grant_id,
            source: Source::Bonus,
            amount,
            starts_at: period.start,
            expires_at: Some(period.end),
            priority: PRIORITY_DEFAULT,
            cost: None,
            payment: None,
            slot: Some(slot),
            reason: Some("trial".to_owned()),
        };
        self.grant(grant, period.start.min(self.context.at))
    }

    /// Moves the ends of grants that live longer, or shorter, than was known. What has ended by that expires, with its end
    /// as its effective time.
    pub(super) fn move_ends(&mut self) -> Result<(), Refusal> {
        let moved: Vec<Event> =
            self.account.wallet.grants().filter_map(|grant| self.moved_end(grant)).collect();
        moved.into_iter().try_for_each(|event| self.record(event))
    }

    /// The same for these grants alone.
    pub(super) fn move_ends_of(&mut self, grants: &[GrantId]) -> Result<(), Refusal> {
        let grants = grants.iter().filter_map(|id| self.account.wallet.find(id));
        let moved: Vec<Event> = grants.filter_map(|grant| self.moved_end(grant)).collect();
        moved.into_iter().try_for_each(|event| self.record(event))
    }

    /// An end that has passed either way is noted by the clock.
    fn moved_end(&self, grant: &Grant) -> Option<Event> {
        let effective_at = self.context.at;
        let is_over = grant.is_settled() && grant.expired_unasked().is_zero();
        if is_over || grant.terms.slot.is_none() {
            return None;
        }
        let (told, ends_at) = (grant.ends_at()?, self.end_of(grant)?);
        let carried = self.carried_from(&grant.terms.grant_id);
        let carried = carried.iter().filter_map(|id| self.account.wallet.find(id));
        let carried = sum(carried.map(Grant::carried));
        let revived = if effective_at < ends_at {
            grant.expired_unasked().saturating_sub(carried)
        } else {
            Credits::ZERO
        };
        let matters = !revived.is_zero() || (told != ends_at && effective_at < told.max(ends_at));
        let is_there = !grant.is_settled() || !revived.is_zero();
        let grant_id = grant.terms.grant_id.clone();
        (matters && is_there).then_some(Event::GrantEndMoved { grant_id, ends_at, revived, effective_at })
    }

    /// When a grant ends, by all that is known now.
    pub(super) fn end_of(&self, grant: &Grant) -> Option<Timestamp> {
        let told = grant.ends_at();
        let Some(slot) = &grant.terms.slot else { return told };
        let Some(facts) = self.account.subscriptions.facts().get(&slot.subscription) else { return told };
        match grant.terms.source {
            Source::Allocation | Source::Rollover => Some(self.end_of_slot(grant, slot, facts)),
            Source::Bonus => facts.trial_end().or(told),
            Source::Signup | Source::TopUp | Source::Refund | Source::Adjustment => told,
        }
    }

    /// With its month; later where the money came late, and where the next month is not paid yet.
    fn end_of_slot(&self, grant: &Grant, slot: &Slot, facts: &Facts) -> Timestamp {
        let month = facts.months().iter().find(|month| month.period.end == slot.month_end());
        let piece = month.and_then(|month| {
            month.pieces.iter().find(|piece| Some(&piece.invoice) == grant.terms.payment.as_ref())
        });
        let piece = piece.filter(|_| grant.terms.source == Source::Allocation);
        let own = piece.map(|piece| piece.life.map_or(slot.month_end(), |life| life.end));
        let own = own.unwrap_or(slot.period.end);
        if self.context.at < own {
            return own;
        }
        let known = self.account.known(self.context.catalog);
        let bridged = facts.bridge(own, known);
        let is_last =
            facts.months().iter().all(|month| month.period.end <= own || !month.is_paid(known.payments));
        bridged.filter(|_| is_last).map_or(own, |bridged| bridged.max(own))
    }
}
