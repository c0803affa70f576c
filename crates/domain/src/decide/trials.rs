//! What does a trial give? The credits of the plan that it began with, for as long as the trial lasts.

use crate::{
    amount::Credits,
    credits::{AllocationMonth, Grant, GrantTerms, PRIORITY_DEFAULT, Source},
    ids::{GrantId, PlanId, ProviderId},
    refusal::Refusal,
    subscription::SubscriptionState,
    time::{Period, Timestamp},
};

use super::{
    draft::DecisionDraft,
    lots::{ClawBackTarget, Lot, sum},
};

impl DecisionDraft<'_> {
    /// Grants the credits of the plan that a trial began with.
    /// They are granted once per account and plan, so that neither another trial nor a change during it gains anything.
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
            let target = ClawBackTarget { amount: granted.saturating_sub(wanted), owed: Credits::ZERO };
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

    /// The plan, the credits and the period of a trial that has not ended.
    fn trial_of(&self, subscription: &ProviderId) -> Option<(PlanId, Credits, Period)> {
        let facts = self.account.subscriptions.facts().get(subscription)?;
        let first = facts.trial().filter(|trial| !self.account.was_elsewhere(trial.period.start))?;
        // If the first plan turns out to be one without trial credits, those that another plan gave are taken back.
        let plan = self.context.catalog.terms_of(&first.plan).filter(|_| self.is_first_trial(first));
        let credits = plan.and_then(|plan| Some(plan.trial.as_ref()?.credits)).unwrap_or(Credits::ZERO);
        let period = Period { start: first.period.start, end: facts.trial_end()? };
        (self.context.at < period.end).then(|| (first.plan.clone(), credits, period))
    }

    /// Whether no other subscription has had a trial of the plan before, by all that is known now.
    fn is_first_trial(&self, trial: &SubscriptionState) -> bool {
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
        let slot = AllocationMonth {
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
}
