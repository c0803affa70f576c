//! How are credits taken back, and given again? What is left is taken first, then what expired, then what was spent.
//!
//! A lot is what was granted together: a pack, or a month of a subscription with its rollover.
//! How much of a lot has to be taken follows from all known facts, and the difference to what was taken before is
//! recorded.

use crate::{
    amount::Credits,
    catalog::DebtPolicy,
    credits::{Grant, GrantTerms, PRIORITY_DEFAULT, Source},
    event::{CreditsEvent, Event},
    ids::{GrantId, ProviderId},
    refusal::Refusal,
    time::Timestamp,
};

use super::{draft::DecisionDraft, refunds::REISSUED_LIFE};

/// Grants that are clawed back together, because one payment bought them.
/// A rollover follows the grant that it came from.
pub(super) struct Lot {
    pub grants: Vec<GrantId>,
    /// The payment for grants that name none.
    pub payment: ProviderId,
}

/// How much has to be taken of a lot in total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClawBackTarget {
    pub amount: Credits,
    /// The part of `amount` for which money was returned. If it was spent, it is owed.
    pub owed: Credits,
}

/// Credits of one grant, by whether they are left, have expired or were spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct GrantPart {
    left: Credits,
    expired: Credits,
    spent: Credits,
}

impl DecisionDraft<'_> {
    /// Takes or gives credits until the total taken is the target.
    pub(super) fn bring_to(
        &mut self,
        lot: &Lot,
        target: ClawBackTarget,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let taken = sum(self.grants_of(lot).iter().map(|grant| grant.clawed_back));
        if target.amount < taken {
            return self.give_again(lot, taken.saturating_sub(target.amount), at);
        }
        self.take_back(lot, target, at)
    }

    fn grants_of(&self, lot: &Lot) -> Vec<&Grant> {
        lot.grants.iter().filter_map(|id| self.account.wallet.find(id)).collect()
    }

    fn take_back(
        &mut self,
        lot: &Lot,
        target: ClawBackTarget,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let parts = take(&self.grants_of(lot), target);
        let owes = parts.iter().any(|part| !part.spent.is_zero());
        for (grant_id, part) in lot.grants.iter().zip(parts) {
            if part == GrantPart::default() {
                continue;
            }
            let (owed, forgiven) = match self.context.catalog.debt {
                DebtPolicy::Owe => (part.spent, Credits::ZERO),
                DebtPolicy::Forgive => (Credits::ZERO, part.spent),
            };
            self.record(Event::Credits(CreditsEvent::CreditsClawedBack {
                payment: self.payment_of(lot, grant_id),
                grant_id: grant_id.clone(),
                voided: part.left,
                expired: part.expired,
                owed,
                forgiven,
                effective_at,
            }))?;
        }
        if owes { self.settle_earlier_returns(effective_at) } else { Ok(()) }
    }

    fn payment_of(&self, lot: &Lot, grant_id: &GrantId) -> ProviderId {
        let grant = self.account.wallet.find(grant_id);
        grant.and_then(|grant| grant.terms.payment.clone()).unwrap_or_else(|| lot.payment.clone())
    }

    /// Gives back what was taken last, so that the rest is what a smaller target would have taken.
    fn give_again(&mut self, lot: &Lot, wanted: Credits, effective_at: Timestamp) -> Result<(), Refusal> {
        let given = restore(&self.grants_of(lot), wanted);
        for (grant_id, part) in lot.grants.iter().zip(given) {
            if part != GrantPart::default() {
                self.give_part(lot, grant_id, part, effective_at)?;
            }
        }
        Ok(())
    }

    fn give_part(
        &mut self,
        lot: &Lot,
        grant_id: &GrantId,
        part: GrantPart,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(grant) = self.account.wallet.find(grant_id) else { return Ok(()) };
        let (owed, ends) = (part.spent.min(grant.clawed_back_owed), grant.ends_at());
        let unowed = owed.min(self.account.wallet.debt);
        let repaid = owed.saturating_sub(unowed);
        self.record(Event::Credits(CreditsEvent::CreditsRestored {
            payment: self.payment_of(lot, grant_id),
            grant_id: grant_id.clone(),
            restored: part.left,
            expired: part.expired,
            unowed,
            repaid,
            unforgiven: part.spent.saturating_sub(owed),
            effective_at,
        }))?;
        self.reimburse(repaid, ends)?;
        self.pay_debt(grant_id, effective_at)
    }

    /// Returns credits that paid a debt which no longer exists.
    /// They live as long as the grant that was taken back, and at least as long as other credits that are returned
    /// late.
    fn reimburse(&mut self, repaid: Credits, ends: Option<Timestamp>) -> Result<(), Refusal> {
        if repaid.is_zero() {
            return Ok(());
        }
        let at = self.moment;
        let grant = GrantTerms {
            grant_id: self.next_grant_id("refund")?,
            source: Source::Refund,
            amount: repaid,
            starts_at: at,
            expires_at: ends.map(|ends| ends.max(at.plus(REISSUED_LIFE))),
            priority: PRIORITY_DEFAULT,
            cost: None,
            payment: None,
            slot: None,
            reason: Some("the payment was not taken back after all".to_owned()),
        };
        self.grant(grant, at)
    }
}

pub(super) fn sum(amounts: impl IntoIterator<Item = Credits>) -> Credits {
    Credits::checked_sum(amounts).unwrap_or(Credits::MAX)
}

/// Takes what is left of each grant, then what expired of it, then the same of its rollover, and at last what was
/// spent, as far as that is owed.
/// So the result is the same whether it is reported before or after the end of the month.
fn take(lot: &[&Grant], target: ClawBackTarget) -> Vec<GrantPart> {
    let taken = sum(lot.iter().map(|grant| grant.clawed_back));
    let mut wanted = target.amount.saturating_sub(taken);
    let carried = |grant: &Grant| {
        let from = |other: &&&Grant| {
            let slot = other.terms.slot.as_ref();
            slot.and_then(|slot| slot.carried_from.as_ref()) == Some(&grant.terms.grant_id)
        };
        sum(lot.iter().filter(from).map(|other| other.carried()))
    };
    let mut parts = Vec::with_capacity(lot.len());
    for grant in lot {
        let left = up_to(&mut wanted, grant.remaining);
        // The rollover of what expired is a grant of its own, and is taken there.
        let expired = up_to(&mut wanted, grant.expired_unasked().saturating_sub(carried(grant)));
        parts.push(GrantPart { left, expired, spent: Credits::ZERO });
    }
    let unspent = sum(parts.iter().flat_map(|part| [part.left, part.expired]));
    let taken = taken.checked_add(unspent).unwrap_or(Credits::MAX);
    let mut owed = target.owed.saturating_sub(taken).min(wanted);
    for (grant, part) in lot.iter().zip(&mut parts) {
        part.spent = up_to(&mut owed, grant.spent_unasked());
    }
    parts
}

/// The opposite of [`take`]: returns `wanted` credits of what was taken from a lot, the last taken first.
fn restore(lot: &[&Grant], wanted: Credits) -> Vec<GrantPart> {
    let mut wanted = wanted;
    let spent: Vec<Credits> =
        lot.iter().rev().map(|grant| up_to(&mut wanted, grant.clawed_back_spent)).collect();
    let given = lot.iter().rev().zip(spent).map(|(grant, spent)| {
        let expired = up_to(&mut wanted, grant.clawed_back_expired);
        GrantPart { left: up_to(&mut wanted, grant.clawed_back_left()), expired, spent }
    });
    let mut given: Vec<GrantPart> = given.collect();
    given.reverse();
    given
}

fn up_to(wanted: &mut Credits, there: Credits) -> Credits {
    let amount = there.min(*wanted);
    *wanted = wanted.saturating_sub(amount);
    amount
}
