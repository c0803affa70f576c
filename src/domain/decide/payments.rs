//! Money that goes back: refunds take back what was bought, disputes freeze it.
//!
//! Each payment's state is compared with what was already taken, so repeated reports, and reports before the
//! grant that they are about, end the same.

use crate::domain::{
    account::{DisputeState, Refund},
    amount::{Credits, Money, Ratio},
    catalog::DebtPolicy,
    credits::{Grant, Source},
    event::Event,
    names::{GrantId, ProviderId},
    refusal::Refusal,
    time::Timestamp,
};

use super::draft::Draft;

impl Draft<'_> {
    pub(super) fn record_refunded_payment(
        &mut self,
        payment: &ProviderId,
        refunded: &Money,
        paid: &Money,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let known = self.account.payments.refunds.get(payment).map(|refund| refund.refunded);
        if known.is_some_and(|known| known >= refunded.minor) {
            return Ok(());
        }
        self.record(Event::PaymentRefunded {
            payment: payment.clone(),
            refunded: refunded.clone(),
            paid: paid.clone(),
            effective_at,
        })?;
        self.settle_payment(payment, effective_at)
    }

    pub(super) fn open_dispute(
        &mut self,
        dispute: &ProviderId,
        payment: &ProviderId,
        money: &Money,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        if self.account.payments.disputes.contains_key(dispute) {
            return Ok(());
        }
        self.record(Event::DisputeOpened {
            dispute: dispute.clone(),
            payment: payment.clone(),
            money: money.clone(),
            effective_at,
        })?;
        self.settle_payment(payment, effective_at)
    }

    pub(super) fn close_dispute(
        &mut self,
        dispute: &ProviderId,
        payment: &ProviderId,
        won: bool,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let known = self.account.payments.disputes.get(dispute).map(|dispute| dispute.state);
        if matches!(known, Some(DisputeState::Won | DisputeState::Lost)) {
            return Ok(());
        }
        self.record(Event::DisputeClosed {
            dispute: dispute.clone(),
            payment: payment.clone(),
            won,
            effective_at,
        })?;
        self.settle_payment(payment, effective_at)
    }

    /// Brings the grants of a payment to where its refunds and disputes say that they are.
    pub(super) fn settle_payment(
        &mut self,
        payment: &ProviderId,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let bought = self.account.wallet.bought_by(payment);
        let (carried, lots): (Vec<&Grant>, Vec<&Grant>) =
            bought.partition(|grant| grant.terms.source == Source::Rollover);
        let lots: Vec<Vec<GrantId>> = lots.iter().map(|grant| lot(grant, &carried)).collect();
        for id in lots.iter().flatten() {
            self.freeze_or_thaw(payment, id, effective_at)?;
        }
        lots.iter().try_for_each(|lot| self.claw_back(payment, lot, effective_at))
    }

    /// Takes back what a refund or a lost dispute says, less what was taken already.
    fn claw_back(
        &mut self,
        payment: &ProviderId,
        lot: &[GrantId],
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let grants: Vec<&Grant> = lot.iter().filter_map(|id| self.account.wallet.find(id)).collect();
        let taken = Credits::checked_sum(grants.iter().map(|grant| grant.clawed_back));
        let target = grants.first().map_or(Credits::ZERO, |grant| self.target(payment, grant));
        let wanted = target.saturating_sub(taken.unwrap_or(Credits::MAX));
        if wanted.is_zero() {
            return Ok(());
        }
        for (grant_id, taken) in lot.iter().zip(take(&grants, wanted)) {
            let (owed, forgiven) = match self.context.catalog.debt {
                DebtPolicy::Owe => (taken.spent, Credits::ZERO),
                DebtPolicy::Forgive => (Credits::ZERO, taken.spent),
            };
            if taken == Taken::default() {
                continue;
            }
            self.record(Event::CreditsClawedBack {
                payment: payment.clone(),
                grant_id: grant_id.clone(),
                voided: taken.left,
                expired: taken.expired,
                owed,
                forgiven,
                effective_at,
            })?;
        }
        Ok(())
    }

    /// How many credits of a grant are to be taken back in all.
    fn target(&self, payment: &ProviderId, grant: &Grant) -> Credits {
        if self.disputes_of(payment).any(|(_, state)| state == DisputeState::Lost) {
            return grant.terms.amount;
        }
        let refund = self.account.payments.refunds.get(payment);
        refund.map_or(Credits::ZERO, |refund| bought(grant, *refund))
    }

    fn freeze_or_thaw(
        &mut self,
        payment: &ProviderId,
        id: &GrantId,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let open = self.disputes_of(payment).find(|(_, state)| *state == DisputeState::Open);
        let open = open.map(|(dispute, _)| dispute.clone());
        let frozen_by = self.account.wallet.find(id).and_then(|grant| grant.frozen_by.clone());
        match (open, frozen_by) {
            (Some(dispute), None) => {
                self.record(Event::GrantFrozen { grant_id: id.clone(), dispute, effective_at })
            }
            (None, Some(dispute)) => {
                self.record(Event::GrantUnfrozen { grant_id: id.clone(), dispute, effective_at })
            }
            (Some(_), Some(_)) | (None, None) => Ok(()),
        }
    }

    fn disputes_of<'b>(
        &'b self,
        payment: &'b ProviderId,
    ) -> impl Iterator<Item = (&'b ProviderId, DisputeState)> {
        let disputes = self.account.payments.disputes.iter();
        disputes
            .filter(move |(_, dispute)| dispute.payment == *payment)
            .map(|(id, dispute)| (id, dispute.state))
    }
}

/// What is taken of one grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Taken {
    left: Credits,
    expired: Credits,
    spent: Credits,
}

/// Takes `wanted` of a lot: what is left of the grant, what of it had expired, then the same of what was
/// carried on, and what was spent last. So a refund takes the same whether it is reported before the end of a
/// month or after it.
fn take(lot: &[&Grant], wanted: Credits) -> Vec<Taken> {
    let mut wanted = wanted;
    let mut up_to = |there: Credits| {
        let amount = there.min(wanted);
        wanted = wanted.saturating_sub(amount);
        amount
    };
    let carried = lot.iter().skip(1).map(|grant| grant.terms.amount);
    let carried = Credits::checked_sum(carried).unwrap_or(Credits::MAX);
    let mut taken = Vec::with_capacity(lot.len());
    for (number, grant) in lot.iter().enumerate() {
        let left = up_to(grant.remaining);
        // What was carried on is there, as a grant of its own.
        let elsewhere = if number == 0 { carried } else { Credits::ZERO };
        let expired = up_to(grant.expired_unasked().saturating_sub(elsewhere));
        taken.push(Taken { left, expired, spent: Credits::ZERO });
    }
    for (grant, taken) in lot.iter().zip(&mut taken) {
        taken.spent = up_to(grant.spent_unasked());
    }
    taken
}

/// A grant and what was carried on of it, which are one as far as its payment goes.
fn lot(grant: &Grant, carried: &[&Grant]) -> Vec<GrantId> {
    let id = &grant.terms.grant_id;
    let from = |grant: &Grant| grant.terms.slot.as_ref().and_then(|slot| slot.carried_from.clone());
    let carried = carried.iter().filter(|grant| from(grant).as_ref() == Some(id));
    std::iter::once(grant).chain(carried.copied()).map(|grant| grant.terms.grant_id.clone()).collect()
}

/// How many of a grant's credits a refund takes back in all: `floor(granted × refunded ÷ paid)`.
fn bought(grant: &Grant, refund: Refund) -> Credits {
    let paid = u64::try_from(refund.paid).unwrap_or(0);
    let refunded = u64::try_from(refund.refunded).unwrap_or(0).min(paid);
    let share = Ratio::new(refunded, paid);
    share.and_then(|share| grant.terms.amount.checked_mul_floor(share)).unwrap_or(Credits::ZERO)
}
