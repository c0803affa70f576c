//! How do deductions and generations spend credits? All of the amount, or none of it.

use crate::{
    amount::Credits,
    catalog::{Limit, NoPrice, Plan},
    command::Generation,
    event::{BURN_ORDER, CreditsEvent, Draw, Event, Purpose},
    ids::{FeatureId, GenerationId, GenerationType, PlanId},
    limits::{self, LimitState, UsageWindow},
    refusal::Refusal,
};

use super::draft::DecisionDraft;

impl DecisionDraft<'_> {
    pub(super) fn deduct(
        &mut self,
        amount: Credits,
        id: Option<&GenerationId>,
        description: Option<&String>,
    ) -> Result<(), Refusal> {
        self.spend(amount, Purpose::Named { id: id.cloned(), description: description.cloned() })
    }

    pub(super) fn generate(&mut self, generation: &Generation) -> Result<(), Refusal> {
        let (amount, purpose) = self.price(generation)?;
        self.spend(amount, purpose)
    }

    pub(super) fn spend(&mut self, amount: Credits, purpose: Purpose) -> Result<(), Refusal> {
        let (draws, windows) = self.reserve(amount, &purpose)?;
        let deducted = Event::Credits(CreditsEvent::CreditsDeducted {
            deduction_id: self.next_deduction_id()?,
            amount,
            draws,
            order: BURN_ORDER.into(),
            purpose,
            windows,
            effective_at: self.context.at,
        });
        self.record_last(deducted);
        Ok(())
    }

    /// What a generation costs on the account's plan, if its features allow it.
    pub(super) fn price(&self, generation: &Generation) -> Result<(Credits, Purpose), Refusal> {
        let catalog = self.context.catalog;
        let plan = self.account.plan(self.context.at, catalog);
        let price = catalog.price(plan, &generation.kind, &generation.options).map_err(|no_price| {
            let known = || catalog.generations.keys().cloned().collect();
            match no_price {
                NoPrice::UnknownType => Refusal::UnknownGenerationType { known: known() },
                NoPrice::UnknownOption { option, known } => Refusal::UnknownOption { option, known },
                NoPrice::UnknownValue { option, known } => Refusal::UnknownOptionValue { option, known },
                NoPrice::TooLarge => Refusal::AmountTooLarge,
            }
        })?;
        self.check_features(&generation.kind)?;
        let purpose = Purpose::Generation {
            id: generation.id.clone(),
            kind: generation.kind.clone(),
            options: generation.options.clone(),
        };
        Ok((price, purpose))
    }

    /// Which grants pay and which windows count, if limits and the balance allow the amount.
    pub(super) fn reserve(
        &self,
        amount: Credits,
        purpose: &Purpose,
    ) -> Result<(Vec<Draw>, Vec<UsageWindow>), Refusal> {
        self.reserve_for(u64::from(purpose.is_generation()), amount, purpose)
    }

    /// The same for this many generations: none, if they were counted before.
    pub(super) fn reserve_for(
        &self,
        generations: u64,
        amount: Credits,
        purpose: &Purpose,
    ) -> Result<(Vec<Draw>, Vec<UsageWindow>), Refusal> {
        let windows = limits::windows(self.context.catalog, generations, amount, self.context.at);
        self.check_limits(&windows, purpose)?;
        let draws = self.account.wallet.draw(amount, self.context.at);
        let draws = draws.ok_or_else(|| self.insufficient(amount))?;
        Ok((draws, windows))
    }

    pub(super) fn check_features(&self, kind: &GenerationType) -> Result<(), Refusal> {
        let catalog = self.context.catalog;
        let Some(needs) = catalog.generations.get(kind).map(|generation| &generation.needs) else {
            return Ok(());
        };
        let terms = self.account.terms(self.context.at, catalog);
        let has =
            |feature: &&FeatureId| terms.as_ref().is_some_and(|terms| terms.features.contains(*feature));
        let missing: Vec<FeatureId> = needs.iter().filter(|feature| !has(feature)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal::FeatureNotInPlan {
            missing,
            plan: self.account.plan(self.context.at, catalog).clone(),
            plans: catalog.plans_with(needs).map(|plan| plan.id.clone()).collect(),
        })
    }

    fn check_limits(&self, windows: &[UsageWindow], purpose: &Purpose) -> Result<(), Refusal> {
        if windows.is_empty() {
            return Ok(());
        }
        let Some(plan) = self.account.terms(self.context.at, self.context.catalog) else {
            return Ok(());
        };
        let reached = plan.limits.iter().find_map(|limit| self.exceeded(limit, windows));
        reached.map_or(Ok(()), |(limit, requested)| {
            Err(Refusal::LimitReached {
                limit,
                requested,
                windows: limits::states(&self.account.usage, &plan, self.context.catalog, self.context.at),
                plan: plan.id.clone(),
                plans: self.plans_allowing(windows, purpose),
            })
        })
    }

    /// The state of the limit and how much more was asked for, if that exceeds it.
    fn exceeded(&self, limit: &Limit, windows: &[UsageWindow]) -> Option<(LimitState, u64)> {
        let wanted = windows.iter().find(|window| window.key == limit.key())?.count;
        let state = self.account.usage.state(limit, self.context.catalog, self.context.at);
        (wanted > state.remaining).then_some((state, wanted))
    }

    /// The plans whose features and limits would allow it, smallest first.
    fn plans_allowing(&self, windows: &[UsageWindow], purpose: &Purpose) -> Vec<PlanId> {
        let needs = match purpose {
            Purpose::Generation { kind, .. } => {
                self.context.catalog.generations.get(kind).map(|generation| &generation.needs)
            }
            Purpose::Named { .. } => None,
        };
        let has = |plan: &&Plan| needs.is_none_or(|needs| plan.features.is_superset(needs));
        let allows = |plan: &&Plan| plan.limits.iter().all(|limit| self.exceeded(limit, windows).is_none());
        self.context
            .catalog
            .plans
            .iter()
            .filter(|plan| plan.is_sold())
            .filter(has)
            .filter(allows)
            .map(|plan| plan.id.clone())
            .collect()
    }

    pub(super) fn insufficient(&self, requested: Credits) -> Refusal {
        let balance = self.account.wallet.balance(self.context.at);
        Refusal::InsufficientCredits {
            requested,
            available: balance.available,
            held: balance.held,
            debt: balance.debt,
            next_credits_at: self.account.next_credits_at(self.context.at, self.context.catalog),
            // The credits of the next month pay the debt first.
            upgrade: self.upgrade(requested.checked_add(balance.debt).unwrap_or(Credits::MAX)),
        }
    }

    /// The smallest plan above the account's that gives `needed` credits a month, else the largest above it.
    fn upgrade(&self, needed: Credits) -> Option<PlanId> {
        let plan = self.account.plan(self.context.at, self.context.catalog);
        let monthly = |plan: &PlanId| {
            self.context.catalog.terms_of(plan).map_or(Credits::ZERO, |plan| plan.allocation.monthly())
        };
        let above = self.context.catalog.plans.iter().skip_while(|other| other.id != *plan).skip(1);
        let above = above.filter(|other| other.is_sold());
        let mut larger = above.filter(|other| other.allocation.monthly() > monthly(plan));
        let enough = larger.clone().find(|other| other.allocation.monthly() >= needed);
        enough
            .or_else(|| larger.by_ref().max_by_key(|other| other.allocation.monthly()))
            .map(|plan| plan.id.clone())
    }
}
