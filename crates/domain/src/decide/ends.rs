//! When do grants of months and trials end, by all that is known now? It may be later or sooner than their terms say.

use crate::{
    amount::Credits,
    credits::{AllocationMonth, Grant, Source},
    event::{CreditsEvent, Event},
    facts::Facts,
    ids::GrantId,
    refusal::Refusal,
    time::Timestamp,
};

use super::{draft::DecisionDraft, lots::sum};

impl DecisionDraft<'_> {
    /// Moves the ends of grants that live longer or shorter than was known.
    /// A grant whose new end has passed expires, with that end as the effective time.
    pub(super) fn move_ends(&mut self) -> Result<(), Refusal> {
        let moved: Vec<Event> =
            self.account.wallet.grants().filter_map(|grant| self.moved_end(grant)).collect();
        moved.into_iter().try_for_each(|event| self.record(event))
    }

    /// The same for these grants only, one after the other, since one may be named twice.
    pub(super) fn move_ends_of(&mut self, grants: &[GrantId]) -> Result<(), Refusal> {
        for id in grants {
            let grant = self.account.wallet.find(id);
            if let Some(moved) = grant.and_then(|grant| self.moved_end(grant)) {
                self.record(moved)?;
            }
        }
        Ok(())
    }

    /// `None` also if both the old and the new end have passed: [`Self::apply_due`] records that.
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
        (matters && is_there).then_some(Event::Credits(CreditsEvent::GrantEndMoved {
            grant_id,
            ends_at,
            revived,
            effective_at,
        }))
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

    /// When a grant of a month ends: with its month, or later if the money came late or the next month is not paid.
    fn end_of_slot(&self, grant: &Grant, slot: &AllocationMonth, facts: &Facts) -> Timestamp {
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
        facts.bridge(own, known).map_or(own, |bridged| bridged.max(own))
    }
}
