//! How is a deduction refunded? To the grants that paid, the last one first, and never more than was spent.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::{
    amount::Credits,
    catalog::Measure,
    command::{PARTIAL_REFUNDS_MAX, REFUND_DEDUCTIONS_MAX, RecordedDeduction},
    credits::{DeductionRefunds, GrantTerms, PRIORITY_DEFAULT, Source},
    event::{CreditsEvent, Draw, Event},
    limits::{UsageWindow, WindowKey},
    refusal::Refusal,
};

use super::draft::DecisionDraft;

/// How long refunded credits live if their grant has ended.
pub(super) const REISSUED_LIFE: TimeDelta = TimeDelta::hours(72);

impl DecisionDraft<'_> {
    /// Refunds `amount` of these deductions, in this order. `None`: all that was not refunded before.
    pub(super) fn refund(
        &mut self,
        deductions: &[RecordedDeduction],
        amount: Option<Credits>,
        reason: &str,
    ) -> Result<(), Refusal> {
        if deductions.len() > REFUND_DEDUCTIONS_MAX {
            return Err(Refusal::TooManyDeductions { deductions_max: REFUND_DEDUCTIONS_MAX });
        }
        // The refunds of this command may push out those that were recorded since the deductions were read.
        let deductions: Result<Vec<RecordedDeduction>, Refusal> =
            deductions.iter().map(|deduction| self.as_of_now(deduction)).collect();
        let deductions = deductions?;
        let sum = |amounts: Vec<Credits>| Credits::checked_sum(amounts).ok_or(Refusal::AmountTooLarge);
        let left: Vec<Credits> = deductions.iter().map(left_of).collect();
        let deducted = sum(deductions.iter().map(|deduction| deduction.amount).collect())?;
        let all = sum(left.clone())?;
        let requested = amount.unwrap_or(all);
        if requested.is_zero() || requested > all {
            return Err(Refusal::RefundExceedsDeduction {
                deducted,
                refunded: deducted.saturating_sub(all),
                requested: amount.unwrap_or(deducted),
            });
        }
        self.check_room_for(requested)?;
        let mut wanted = requested;
        for (deduction, left) in deductions.iter().zip(left) {
            let part = wanted.min(left);
            wanted = wanted.saturating_sub(part);
            if !part.is_zero() {
                self.refund_part(deduction, part, part == left, reason)?;
            }
        }
        self.apply_due()
    }

    /// A deduction with all that was refunded of it so far.
    fn as_of_now(&self, deduction: &RecordedDeduction) -> Result<RecordedDeduction, Refusal> {
        let refunded = self.refunds_of(deduction)?;
        Ok(RecordedDeduction { refunded, refunded_until: self.account.version, ..deduction.clone() })
    }

    /// All that was refunded of a deduction so far.
    fn refunds_of(&self, deduction: &RecordedDeduction) -> Result<DeductionRefunds, Refusal> {
        let RecordedDeduction { deduction_id, refunded, refunded_until, .. } = deduction;
        // What was read is newer than the account if another writer was here.
        let is_known = *refunded_until <= self.account.version;
        let all = self.account.wallet.refunds.after(*refunded_until, deduction_id, refunded);
        all.filter(|_| is_known).ok_or(Refusal::RefundsOutdated)
    }

    /// Refunds a part of one deduction. `whole`: nothing of it is left afterwards.
    fn refund_part(
        &mut self,
        deduction: &RecordedDeduction,
        amount: Credits,
        whole: bool,
        reason: &str,
    ) -> Result<(), Refusal> {
        let refunded = self.refunds_of(deduction)?;
        if !whole && refunded.count >= PARTIAL_REFUNDS_MAX {
            let deduction = deduction.deduction_id.clone();
            return Err(Refusal::TooManyRefunds { deduction, refunds_max: PARTIAL_REFUNDS_MAX });
        }
        let given = restore(&deduction.draws, &refunded.returns, amount);
        let (returns, reissued) = self.split_ended(given);
        let again = Credits::checked_sum(reissued.iter().map(|draw| draw.amount));
        let again = again.ok_or(Refusal::AmountTooLarge)?;
        self.record(Event::Credits(CreditsEvent::CreditsRefunded {
            deduction_id: deduction.deduction_id.clone(),
            amount,
            returns: returns.clone(),
            reissued,
            reason: reason.to_owned(),
            purpose: deduction.purpose.clone(),
            windows: given_back(&deduction.windows, refunded.amount, amount, whole),
            effective_at: self.context.at,
        }))?;
        if !again.is_zero() {
            self.reissue(again, deduction, reason)?;
        }
        self.settle_returns(&returns, self.context.at)
    }

    /// Splits a refund into what goes back to its grants, and what a new grant gets because they have ended.
    /// What settles an earlier clawback goes to its grant even if that has ended.
    fn split_ended(&self, given: Vec<Draw>) -> (Vec<Draw>, Vec<Draw>) {
        let (mut returns, mut reissued) = (Vec::new(), Vec::new());
        for draw in given {
            let grant = self.account.wallet.find(&draw.grant_id);
            let settled = match grant {
                Some(grant) if !grant.has_ended(self.context.at) => draw.amount,
                Some(grant) => self.settles(grant, draw.amount),
                None => Credits::ZERO,
            };
            let part = |amount| Draw { grant_id: draw.grant_id.clone(), amount };
            let rest = draw.amount.saturating_sub(settled);
            returns.extend((!settled.is_zero()).then(|| part(settled)));
            reissued.extend((!rest.is_zero()).then(|| part(rest)));
        }
        (returns, reissued)
    }

    fn reissue(&mut self, amount: Credits, of: &RecordedDeduction, reason: &str) -> Result<(), Refusal> {
        let at = self.context.at;
        let grant_id = self.next_grant_id("refund")?;
        let grant = GrantTerms {
            grant_id: grant_id.clone(),
            source: Source::Refund,
            amount,
            starts_at: at,
            expires_at: Some(at.plus(REISSUED_LIFE)),
            priority: PRIORITY_DEFAULT,
            cost: None,
            payment: None,
            slot: None,
            reason: Some(reason.to_owned()),
        };
        let purpose = Some(of.purpose.clone());
        self.record(Event::Credits(CreditsEvent::CreditsGranted { grant, purpose, effective_at: at }))?;
        self.pay_debt(&grant_id, at)
    }
}

/// What is taken out of the windows, the oldest first: the credits, and also the generation if all of it was refunded.
///
/// A part of a hold can count in several windows of one limit. What is refunded leaves the newest first, after what
/// `already` left them.
fn given_back(windows: &[UsageWindow], already: Credits, amount: Credits, whole: bool) -> Vec<UsageWindow> {
    let count = |credits: Credits| u64::try_from(credits.get()).unwrap_or(0);
    let mut left: BTreeMap<WindowKey, (u64, u64)> = BTreeMap::new();
    let mut given: Vec<UsageWindow> = Vec::new();
    for window in windows.iter().rev() {
        match window.key.measure {
            Measure::Credits => {
                let (skipped, wanted) =
                    left.entry(window.key).or_insert_with(|| (count(already), count(amount)));
                let before = window.count.min(*skipped);
                let taken = window.count.saturating_sub(before).min(*wanted);
                *skipped = skipped.saturating_sub(before);
                *wanted = wanted.saturating_sub(taken);
                given.extend((taken > 0).then_some(UsageWindow { count: taken, ..*window }));
            }
            Measure::Generations => given.extend(whole.then_some(*window)),
        }
    }
    given.reverse();
    given
}

fn left_of(deduction: &RecordedDeduction) -> Credits {
    deduction.amount.saturating_sub(deduction.refunded.amount)
}

/// Takes `amount` from the draws, the last one first, after what `already` was returned to each.
fn restore(draws: &[Draw], already: &[Draw], amount: Credits) -> Vec<Draw> {
    let mut wanted = amount;
    let mut returns = Vec::new();
    for draw in draws.iter().rev() {
        let earlier =
            already.iter().filter(|known| known.grant_id == draw.grant_id).map(|known| known.amount);
        let earlier = Credits::checked_sum(earlier).unwrap_or(Credits::MAX);
        let taken = wanted.min(draw.amount.saturating_sub(earlier));
        wanted = wanted.saturating_sub(taken);
        if !taken.is_zero() {
            returns.push(Draw { grant_id: draw.grant_id.clone(), amount: taken });
        }
    }
    returns
}
