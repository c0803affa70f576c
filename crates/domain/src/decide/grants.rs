//! What do operators grant and adjust, and how are debts paid and forgiven?

use crate::{
    amount::Credits,
    catalog::Allocation,
    command::GrantCredits,
    credits::{GrantTerms, PRIORITY_DEFAULT, Source},
    event::{AccountEvent, CreditsEvent, Event, InvoiceEvent},
    ids::{GrantId, InvalidIdentifier, PlanId, ProviderId},
    metadata::Metadata,
    refusal::Refusal,
    subscription::Term,
    time::{Period, Timestamp},
};

use super::draft::DecisionDraft;

/// For how many months a free plan gives credits: longer than any account lives.
const FREE_MONTHS: u32 = 12 * 100;

/// The id of the grant that a free plan gives once.
///
/// # Errors
/// Never: the id is well formed.
pub fn opening_grant_id() -> Result<GrantId, InvalidIdentifier> {
    GrantId::parse("signup")
}

impl DecisionDraft<'_> {
    /// What the free plan gives to an account that has just opened.
    pub(super) fn grant_on_opening(&mut self) -> Result<(), Refusal> {
        let at = self.context.at;
        let Some(plan) = self.context.catalog.plan(&self.context.catalog.free_plan) else {
            return Ok(());
        };
        match plan.allocation {
            Allocation::None => Ok(()),
            Allocation::Once(amount) if amount.is_zero() => Ok(()),
            Allocation::Once(amount) => self.grant(signup(amount, at)?, at),
            Allocation::Monthly(monthly) => {
                let carry_max = plan.rollover.map(|cap| cap.carry_max(monthly));
                let term = free_term(plan.id.clone(), monthly, carry_max, at)?;
                self.record(Event::Invoice(InvoiceEvent::PeriodPaid { term, effective_at: at }))?;
                self.apply_due()
            }
        }
    }

    pub(super) fn grant_by_operator(&mut self, command: &GrantCredits) -> Result<(), Refusal> {
        let at = self.context.at;
        if is_reserved(&command.grant_id) || self.account.wallet.find(&command.grant_id).is_some() {
            return Err(Refusal::GrantAlreadyExists);
        }
        let starts_at = command.starts_at.unwrap_or(at);
        if command.expires_at.is_some_and(|end| end <= at || end <= starts_at) {
            return Err(Refusal::GrantHasEnded);
        }
        self.check_room_for(command.amount)?;
        let grant = GrantTerms {
            grant_id: command.grant_id.clone(),
            source: command.source,
            amount: command.amount,
            starts_at,
            expires_at: command.expires_at,
            priority: command.priority.unwrap_or(PRIORITY_DEFAULT),
            cost: command.cost.clone(),
            payment: None,
            slot: None,
            reason: Some(command.reason.clone()),
        };
        self.grant(grant, at)
    }

    /// Grants credits, unless the account is closed.
    /// What is known to be refunded or disputed is taken back at once, and the rest first pays the debt.
    pub(super) fn grant(&mut self, grant: GrantTerms, effective_at: Timestamp) -> Result<(), Refusal> {
        if self.is_closed {
            return Ok(());
        }
        let (id, payment) = (grant.grant_id.clone(), grant.payment.clone());
        self.record(Event::Credits(CreditsEvent::CreditsGranted { grant, purpose: None, effective_at }))?;
        if let Some(payment) = payment {
            self.settle_payment(&payment, effective_at)?;
        }
        self.pay_debt(&id, effective_at)
    }

    /// Pays debt from what is left of one grant.
    /// Whether the grant is live is checked at `effective_at`, so that it does not matter how late this is noticed.
    pub(super) fn pay_debt(&mut self, id: &GrantId, effective_at: Timestamp) -> Result<(), Refusal> {
        let debt = self.account.wallet.debt;
        let grant = self.account.wallet.find(id).filter(|grant| grant.is_live(effective_at));
        let amount = grant.map_or(Credits::ZERO, |grant| grant.remaining.min(debt));
        if amount.is_zero() {
            return Ok(());
        }
        self.record(Event::Credits(CreditsEvent::DebtPaid { grant_id: id.clone(), amount, effective_at }))
    }

    pub(super) fn adjust(&mut self, amount: Credits, reason: &str) -> Result<(), Refusal> {
        let draws = self.account.wallet.draw(amount, self.context.at);
        let draws = draws.ok_or_else(|| self.insufficient(amount))?;
        self.record(Event::Credits(CreditsEvent::CreditsAdjusted {
            amount,
            draws,
            reason: reason.to_owned(),
            effective_at: self.context.at,
        }))
    }

    pub(super) fn forgive(&mut self, amount: Option<Credits>, reason: &str) -> Result<(), Refusal> {
        let debt = self.account.wallet.debt;
        if debt.is_zero() {
            return Err(Refusal::NothingOwed);
        }
        let amount = amount.unwrap_or(debt);
        if amount > debt {
            return Err(Refusal::DebtSmaller { debt });
        }
        self.record(Event::Credits(CreditsEvent::DebtForgiven {
            amount,
            reason: reason.to_owned(),
            effective_at: self.context.at,
        }))
    }

    /// If the account already has this metadata, there is no event.
    pub(super) fn set_metadata(&mut self, metadata: &Metadata) {
        if self.account.metadata != *metadata {
            let (metadata, effective_at) = (metadata.clone(), self.context.at);
            self.record_last(Event::Account(AccountEvent::AccountMetadataSet { metadata, effective_at }));
        }
    }

    pub(super) fn close(&mut self, reason: &str) -> Result<(), Refusal> {
        let held = self.account.wallet.holds.held();
        if !held.is_zero() {
            return Err(Refusal::HoldsOpen { held });
        }
        let closed = Event::Account(AccountEvent::AccountClosed {
            reason: reason.to_owned(),
            effective_at: self.context.at,
        });
        self.record_last(closed);
        Ok(())
    }
}

/// Whether ids of this form are reserved for grants that the rules make themselves.
pub(super) fn is_reserved(id: &GrantId) -> bool {
    const PREFIXES: [&str; 6] = ["month:", "carry:", "up:", "pack:", "trial:", "refund_"];
    id.as_str() == "signup" || PREFIXES.iter().any(|prefix| id.as_str().starts_with(prefix))
}

fn signup(amount: Credits, at: Timestamp) -> Result<GrantTerms, Refusal> {
    Ok(GrantTerms {
        grant_id: opening_grant_id().map_err(|_| Refusal::AmountTooLarge)?,
        source: Source::Signup,
        amount,
        starts_at: at,
        expires_at: None,
        priority: PRIORITY_DEFAULT,
        cost: None,
        payment: None,
        slot: None,
        reason: None,
    })
}

pub(super) fn free_term(
    plan: PlanId,
    monthly: Credits,
    carry_max: Option<Credits>,
    at: Timestamp,
) -> Result<Term, Refusal> {
    Ok(Term {
        subscription: ProviderId::parse("free").map_err(|_| Refusal::AmountTooLarge)?,
        plan,
        period: Period { start: at, end: at.plus_months(FREE_MONTHS) },
        monthly,
        carry_max,
        paid: None,
        replaces: false,
        changed_at: None,
        anchor: None,
    })
}
