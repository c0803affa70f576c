//! How are credits returned to their grants, from a hold or a refund?
//! They first settle what was clawed back of these grants in the meantime.

use std::collections::BTreeSet;

use crate::{
    amount::Credits,
    credits::{AllocationMonth, Grant, Source},
    event::{CreditsEvent, Draw, Event},
    ids::{GrantId, ProviderId},
    months::Month,
    refusal::Refusal,
    time::Timestamp,
};

use super::draft::DecisionDraft;

impl DecisionDraft<'_> {
    /// Settles clawbacks of spent credits, after credits were returned from a hold or a refund.
    /// If the clawed back credits are owed, the debt is reduced; if they were forgiven, the returned ones are voided.
    pub(super) fn settle_returns(
        &mut self,
        returns: &[Draw],
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        for draw in returns {
            self.settle_return(&draw.grant_id, effective_at)?;
        }
        // What a downgrade takes is also taken from credits that were held, once they are returned.
        for (subscription, month) in self.months_of(returns) {
            self.settle_month(&subscription, &month, effective_at)?;
        }
        for subscription in self.trials_of(returns) {
            self.settle_trial(&subscription, effective_at)?;
        }
        let returned = returns.iter().map(|draw| draw.grant_id.clone());
        self.move_ends_of(&returned.collect::<Vec<_>>())
    }

    /// The months of the returned credits; for rollover, the month that it was first granted for.
    fn months_of(&self, returns: &[Draw]) -> Vec<(ProviderId, Month)> {
        let slots = returns.iter().filter_map(|draw| self.slot_granted_for(&draw.grant_id));
        let ends: BTreeSet<(&ProviderId, Timestamp)> =
            slots.map(|slot| (&slot.subscription, slot.month_end())).collect();
        let month = |(subscription, end): (&ProviderId, Timestamp)| {
            let facts = self.account.subscriptions.facts().get(subscription)?;
            let month = facts.months().iter().find(|month| month.period.end == end);
            let month = month.filter(|month| facts.is_opened(month)).cloned();
            let month = month.or_else(|| facts.months_that_were_none().find(|month| month.period.end == end));
            Some((subscription.clone(), month?))
        };
        ends.into_iter().filter_map(month).collect()
    }

    /// The subscriptions whose trials gave the returned credits.
    fn trials_of(&self, returns: &[Draw]) -> BTreeSet<ProviderId> {
        let grants = returns.iter().filter_map(|draw| self.account.wallet.find(&draw.grant_id));
        let trials = grants.filter(|grant| grant.terms.source == Source::Bonus);
        trials.filter_map(|grant| Some(grant.terms.slot.as_ref()?.subscription.clone())).collect()
    }

    /// The month that a grant was made for; for rollover, the month that it was first granted for.
    fn slot_granted_for(&self, id: &GrantId) -> Option<&AllocationMonth> {
        let mut grant = self.account.wallet.find(id)?;
        while grant.terms.source == Source::Rollover {
            let from = grant.terms.slot.as_ref().and_then(|slot| slot.carried_from.as_ref())?;
            grant = self.account.wallet.find(from)?;
        }
        grant.terms.slot.as_ref()
    }

    /// How many of the `returned` credits, which are about to come back to a grant, settle its clawback.
    pub(super) fn settles(&self, grant: &Grant, returned: Credits) -> Credits {
        let amount = settled_by_return(grant, returned).min(returned);
        let (forgiven, owed) = self.settled_parts(grant, amount);
        forgiven.checked_add(owed).unwrap_or(Credits::MAX)
    }

    /// Of what is settled, the part that was forgiven, and the part that is still owed.
    fn settled_parts(&self, grant: &Grant, amount: Credits) -> (Credits, Credits) {
        let forgiven = grant.clawed_back_spent.saturating_sub(grant.clawed_back_owed).min(amount);
        (forgiven, amount.saturating_sub(forgiven).min(self.account.wallet.debt))
    }

    fn settle_return(&mut self, id: &GrantId, effective_at: Timestamp) -> Result<(), Refusal> {
        self.void_returned(id, effective_at)?;
        self.pay_debt(id, effective_at)
    }

    /// Credits that came back after others had paid their debt are voided for debt that has arisen since.
    pub(super) fn settle_earlier_returns(&mut self, effective_at: Timestamp) -> Result<(), Refusal> {
        let is_there = |grant: &&Grant| !returned_and_left(grant).is_zero();
        let returned =
            self.account.wallet.grants().filter(is_there).map(|grant| grant.terms.grant_id.clone());
        for id in returned.collect::<Vec<_>>() {
            self.void_returned(&id, effective_at)?;
        }
        Ok(())
    }

    /// Voids returned credits that had been clawed back as spent, as far as they are owed or were forgiven.
    fn void_returned(&mut self, id: &GrantId, effective_at: Timestamp) -> Result<(), Refusal> {
        let Some(grant) = self.account.wallet.find(id) else { return Ok(()) };
        let (forgiven, owed) = self.settled_parts(grant, returned_and_left(grant));
        let voided = forgiven.checked_add(owed).unwrap_or(Credits::MAX);
        // The imported grant of a month has no payment, only a subscription.
        let of_slot = || grant.terms.slot.as_ref().map(|slot| slot.subscription.clone());
        let payment = grant.terms.payment.clone().or_else(of_slot).filter(|_| !voided.is_zero());
        let Some(payment) = payment else { return Ok(()) };
        let (grant_id, zero) = (id.clone(), Credits::ZERO);
        self.record(Event::Credits(CreditsEvent::CreditsRestored {
            payment: payment.clone(),
            grant_id: grant_id.clone(),
            restored: zero,
            expired: zero,
            unowed: owed,
            repaid: zero,
            unforgiven: forgiven,
            effective_at,
        }))?;
        self.record(Event::Credits(CreditsEvent::CreditsClawedBack {
            payment,
            grant_id,
            voided,
            expired: zero,
            owed: zero,
            forgiven: zero,
            effective_at,
        }))
    }
}

/// How many clawed back credits were returned to a grant, and are left.
fn returned_and_left(grant: &Grant) -> Credits {
    settled_by_return(grant, Credits::ZERO).min(grant.remaining)
}

/// How many clawed back credits are settled, counting `returned` credits that are about to come back.
pub(super) fn settled_by_return(grant: &Grant, returned: Credits) -> Credits {
    grant.clawed_back_spent.saturating_sub(grant.used().saturating_sub(returned))
}
