//! How do the grants of a subscription's months become what they should be?
//!
//! What a month should have given follows from facts alone ([`crate::months`]).
//! Here it is compared with what was granted and taken, and the difference becomes events.
//! So facts may come late, twice or in another order.

use crate::{
    amount::Credits,
    credits::{AllocationMonth, Grant, GrantTerms, PRIORITY_DEFAULT, Source},
    ids::{GrantId, ProviderId},
    months::{Month, Piece},
    refusal::Refusal,
    time::Timestamp,
};

use super::{
    draft::DecisionDraft,
    lots::{ClawBackTarget, Lot, sum},
    rollover::opens_month,
};

/// The difference between what a month should have given and what it has.
struct AllocationGap {
    /// What was paid for and not given back.
    due: Credits,
    target: ClawBackTarget,
    granted: Credits,
    taken: Credits,
}

/// What one invoice gave for a month, and should give.
struct OwnPart {
    due: Credits,
    granted: Credits,
    taken: Credits,
    lot: Lot,
}

impl DecisionDraft<'_> {
    /// Adjusts every month that has grants to what is known of it, as of `at`.
    /// Months without grants follow when they are due ([`Self::apply_due`]).
    pub(super) fn settle_months(&mut self, at: Timestamp) -> Result<(), Refusal> {
        let months = self.opened_months();
        // Credits that are given again first pay debt, so months with too many credits, which may cause debt, come
        // first.
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

    /// The months that have grants.
    fn opened_months(&self) -> Vec<(ProviderId, Month)> {
        let facts = self.account.subscriptions.facts().iter();
        let months = facts.flat_map(|(id, facts)| {
            let opened = facts.months().iter().filter(|month| facts.is_opened(month)).cloned();
            opened.chain(facts.months_that_were_none()).map(|month| (id.clone(), month))
        });
        months.collect()
    }

    fn has_too_much(&self, subscription: &ProviderId, month: &Month) -> bool {
        let AllocationGap { due, granted, taken, .. } = self.balance_of(subscription, month);
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

    /// First adjusts what each invoice gave to what it should give, since credits of different invoices may end at
    /// different times.
    /// If that is not enough, the month's other credits are taken, and spent credits are owed as far as their money was
    /// returned.
    pub(super) fn settle_month(
        &mut self,
        subscription: &ProviderId,
        month: &Month,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        self.take_own(subscription, month, at)?;
        let AllocationGap { due, target, granted, taken } = self.balance_of(subscription, month);
        let there = granted.saturating_sub(taken);
        if there < due {
            return self.give_missing(subscription, month, due.saturating_sub(there), at);
        }
        if due < there {
            self.bring(subscription, month, target, at)?;
        }
        Ok(())
    }

    /// Returns what was taken of each invoice's credits, and grants what is still missing.
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
                self.bring_to(&own.lot, ClawBackTarget { amount: target, owed: Credits::ZERO }, at)?;
            }
            missing = missing.saturating_sub(again);
        }
        self.grant_missing(subscription, month, missing)
    }

    /// For each invoice that gave too much, takes the excess from what is left of it.
    fn take_own(&mut self, subscription: &ProviderId, month: &Month, at: Timestamp) -> Result<(), Refusal> {
        for own in self.own_parts(subscription, month) {
            let there = own.granted.saturating_sub(own.taken);
            let excess = there.saturating_sub(own.due);
            if !excess.is_zero() {
                let amount = own.taken.checked_add(excess).unwrap_or(Credits::MAX);
                self.bring_to(&own.lot, ClawBackTarget { amount, owed: Credits::ZERO }, at)?;
            }
        }
        Ok(())
    }

    /// What each invoice gave for a month, and should give.
    fn own_parts(&self, subscription: &ProviderId, month: &Month) -> Vec<OwnPart> {
        let due = self.account.month_due_by_invoice(month);
        let lot = self.lot_of(subscription, month.period.end);
        let elsewhere = self.granted_elsewhere(subscription, month);
        let first = elsewhere.first().map(|(invoice, _)| invoice);
        let of = |invoice: &ProviderId| {
            // An imported grant is what is left of what the first of the earlier invoices gave.
            let own: Vec<&Grant> = lot
                .iter()
                .filter_map(|id| self.account.wallet.find(id))
                .filter(|grant| grant.terms.payment.as_ref().or(first) == Some(invoice))
                .collect();
            let allocated = own.iter().filter(|grant| grant.terms.source == Source::Allocation);
            let allocated = allocated.filter(|grant| grant.terms.payment.is_some());
            let brought = elsewhere.iter().filter(|(of, _)| of == invoice).map(|(_, amount)| *amount);
            OwnPart {
                due: due
                    .iter()
                    .filter(|(of, _)| of == invoice)
                    .map(|(_, due)| *due)
                    .next()
                    .unwrap_or(Credits::ZERO),
                granted: sum(allocated.map(|grant| grant.terms.amount).chain(brought)),
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
        target: ClawBackTarget,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let grants = self.lot_of(subscription, month.period.end);
        let payment = month.pieces.first().map_or(subscription, |piece| &piece.invoice).clone();
        self.bring_to(&Lot { grants, payment }, target, at)
    }

    fn balance_of(&self, subscription: &ProviderId, month: &Month) -> AllocationGap {
        let own: Vec<&Grant> = self.grants_of_month(subscription, month.period.end).collect();
        let paid_for = month.paid_for();
        let due = self.account.month_due(month);
        let kept = paid_for.saturating_sub(self.account.month_taken(month));
        let elsewhere = self.granted_elsewhere(subscription, month);
        let elsewhere = elsewhere.into_iter().map(|(_, amount)| amount);
        let granted = sum(own.iter().map(|grant| grant.terms.amount).chain(elsewhere));
        let lot = self.lot_of(subscription, month.period.end);
        let taken = lot.iter().filter_map(|id| self.account.wallet.find(id)).map(|grant| grant.clawed_back);
        let target =
            ClawBackTarget { amount: granted.saturating_sub(due), owed: granted.saturating_sub(kept) };
        AllocationGap { due, target, granted, taken: sum(taken) }
    }

    /// What each invoice gave for a month before the account moved in, however much of it is left.
    fn granted_elsewhere(&self, subscription: &ProviderId, month: &Month) -> Vec<(ProviderId, Credits)> {
        let facts = self.account.subscriptions.facts().get(subscription);
        let pieces = facts.into_iter().flat_map(|facts| facts.granted_elsewhere(month));
        pieces.map(|piece| (piece.invoice.clone(), piece.amount)).collect()
    }

    /// The imported grant with the rest of the month's credits, if there is one.
    fn brought_along<'b>(
        &'b self,
        subscription: &'b ProviderId,
        month_end: Timestamp,
    ) -> impl Iterator<Item = &'b Grant> {
        self.allocations_in(subscription, month_end).filter(|grant| grant.terms.payment.is_none())
    }

    /// The grants of a month, without its rollover and without those of periods that were recorded before the lines of
    /// invoices were kept.
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

    /// The grants of a month in the order in which they are taken back: those that end first, of these the last that
    /// was paid for, so that upgrades come first; and then their rollover.
    fn lot_of(&self, subscription: &ProviderId, month_end: Timestamp) -> Vec<GrantId> {
        let own = self.grants_of_month(subscription, month_end);
        let mut own: Vec<&Grant> = own.chain(self.brought_along(subscription, month_end)).collect();
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

    pub(super) fn carried_from(&self, from: &GrantId) -> Vec<GrantId> {
        let carried = self.account.wallet.grants().filter(|grant| {
            let slot = grant.terms.slot.as_ref();
            grant.terms.source == Source::Rollover
                && slot.and_then(|slot| slot.carried_from.as_ref()) == Some(from)
        });
        carried.map(|grant| grant.terms.grant_id.clone()).collect()
    }

    /// Grants what is missing of a month, for each invoice as far as it paid for it, the earliest first.
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
            slot: Some(AllocationMonth {
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

    /// The first grant of a month is named after the month, any other after the invoice's line.
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
}
