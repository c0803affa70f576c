//! How does an account open that moves in? With what it had elsewhere, and without credits for signing up.

use crate::{
    catalog::{Allocation, Catalog},
    credits::{AllocationMonth, GrantTerms, PRIORITY_DEFAULT, Source},
    event::{CreditsEvent, Event, InvoiceEvent},
    limits::{self, UsageWindow},
    months::months_between,
    moving::{ImportAccount, MonthOf, MovedGrant, MovedIn},
    refusal::Refusal,
    time::{Period, Timestamp},
};

use super::{
    Context,
    draft::DecisionDraft,
    grants::{free_term, is_reserved},
};

/// Opens an account with the state that it had elsewhere.
pub(super) fn import(import: &ImportAccount, context: Context<'_>) -> Result<Vec<Event>, Refusal> {
    let as_of = import.as_of.unwrap_or(context.at).min(context.at);
    let windows = windows(import, context.catalog, as_of);
    let moved_in = MovedIn { as_of, windows, debt: import.debt.unwrap_or_default() };
    let mut draft = DecisionDraft::opened(context, Some(moved_in));
    if let Some(customer) = &import.customer {
        draft.link(customer, context.at)?;
    }
    for grant in &import.grants {
        draft.grant_moved(grant, as_of)?;
    }
    draft.go_on_free(import, as_of)?;
    draft.apply_due()?;
    draft.set_metadata(&import.metadata);
    Ok(draft.finish())
}

/// What was used, for the windows that a plan limits.
/// In a rolling window it counts as used just now, so that no limit is exceeded.
fn windows(import: &ImportAccount, catalog: &Catalog, as_of: Timestamp) -> Vec<UsageWindow> {
    let used = import.used.iter().flat_map(|used| {
        let of_unit = limits::keys(catalog).into_iter();
        let of_unit = of_unit.filter(|key| key.measure == used.measure && key.unit == used.per);
        of_unit.map(|key| UsageWindow { key, start: key.start(catalog, as_of), count: used.count })
    });
    used.filter(|window| window.count > 0).collect()
}

impl DecisionDraft<'_> {
    fn grant_moved(&mut self, moved: &MovedGrant, as_of: Timestamp) -> Result<(), Refusal> {
        let at = self.context.at;
        if is_reserved(&moved.grant_id) || self.account.wallet.find(&moved.grant_id).is_some() {
            return Err(Refusal::GrantAlreadyExists);
        }
        let granted_at = moved.granted_at.unwrap_or(as_of);
        let starts_at = moved.starts_at.unwrap_or(granted_at);
        if moved.expires_at.is_some_and(|end| end <= as_of || end <= starts_at) {
            return Err(Refusal::GrantHasEnded);
        }
        self.check_room_for(moved.amount)?;
        let slot = moved.month_of.as_ref().map(|month| self.slot(moved, month, starts_at)).transpose()?;
        let grant = GrantTerms {
            grant_id: moved.grant_id.clone(),
            source: moved.source,
            amount: moved.amount,
            starts_at,
            expires_at: moved.expires_at,
            priority: moved.priority.unwrap_or(PRIORITY_DEFAULT),
            cost: moved.cost.clone(),
            // What is taken back of a month's credits follows from its subscription, whatever payment they came from.
            payment: moved.payment.clone().filter(|_| slot.is_none()),
            slot,
            reason: moved.reason.clone(),
        };
        let effective_at = granted_at.min(at);
        self.record(Event::Credits(CreditsEvent::CreditsGranted { grant, purpose: None, effective_at }))?;
        // The debt is one of the account's state, so nothing paid it before that.
        self.pay_debt(&moved.grant_id, effective_at.max(as_of))
    }

    fn slot(
        &self,
        moved: &MovedGrant,
        month: &MonthOf,
        start: Timestamp,
    ) -> Result<AllocationMonth, Refusal> {
        let MonthOf { subscription, plan } = month.clone();
        let terms = self.context.catalog.terms_of(&plan);
        let monthly = terms.ok_or_else(|| Refusal::UnknownPlan { plan: plan.clone() })?.allocation.monthly();
        let end = moved.expires_at.ok_or(Refusal::GrantHasEnded)?;
        Ok(AllocationMonth {
            subscription,
            plan,
            period: Period { start, end },
            allocation: monthly.max(moved.amount),
            carry_max: None,
            carried_from: None,
            paid_month_end: None,
        })
    }

    /// A free plan that gives credits monthly goes on with the month after the imported one.
    fn go_on_free(&mut self, import: &ImportAccount, as_of: Timestamp) -> Result<(), Refusal> {
        let Some(plan) = self.context.catalog.plan(&self.context.catalog.free_plan) else {
            return Ok(());
        };
        let Allocation::Monthly(monthly) = plan.allocation else { return Ok(()) };
        let running = import
            .grants
            .iter()
            .filter(|grant| grant.source == Source::Allocation && grant.month_of.is_none());
        let next = running.filter_map(|grant| grant.expires_at).max();
        let next = next.unwrap_or_else(|| as_of.plus_months(1));
        let carry_max = plan.rollover.map(|cap| cap.carry_max(monthly));
        // Months that are over were granted elsewhere, however long ago.
        let over = (0..=months_between(next, self.context.at).saturating_add(1)).rev();
        let start = over.map(|months| next.plus_months(months)).find(|start| *start <= self.context.at);
        let mut term = free_term(plan.id.clone(), monthly, carry_max, start.unwrap_or(next))?;
        term.anchor = start.filter(|start| *start != next).map(|_| next);
        self.record(Event::Invoice(InvoiceEvent::PeriodPaid { term, effective_at: self.context.at }))
    }
}
