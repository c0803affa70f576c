//! What does an event change about an account's credits? The lines that a statement has of it, in the words of people.

mod kind;

use crate::{
    amount::Credits,
    credits::GrantTerms,
    event::{AccountEvent, CreditsEvent, Draw, Event, HoldEvent, Purpose},
    ids::{GenerationType, GrantId, ProviderId},
    moving::MovedIn,
    time::Timestamp,
};

pub use kind::LineKind;

/// The grants that a line took credits from or gave credits to.
#[derive(Clone, Copy, Debug)]
pub enum LineGrants<'a> {
    None,
    One(&'a GrantId),
    Draws(&'a [Draw]),
}

impl LineGrants<'_> {
    #[must_use]
    pub fn ids(self) -> Vec<GrantId> {
        match self {
            Self::None => Vec::new(),
            Self::One(grant) => vec![grant.clone()],
            Self::Draws(draws) => draws.iter().map(|draw| draw.grant_id.clone()).collect(),
        }
    }
}

/// A change of an account's credits. Amounts are signed: negative if they take.
#[derive(Clone, Debug)]
pub struct CreditChange<'a> {
    pub kind: LineKind,
    /// What it adds to the available and frozen credits.
    pub available: i64,
    pub held: i64,
    pub debt: i64,
    pub grants: LineGrants<'a>,
    pub purpose: Option<&'a Purpose>,
    pub description: Option<&'a str>,
    /// When it took effect. `None`: when its event did.
    pub effective_at: Option<Timestamp>,
}

impl<'a> CreditChange<'a> {
    const fn new(kind: LineKind, available: i64, grants: LineGrants<'a>) -> Self {
        let (purpose, description, effective_at) = (None, None, None);
        Self { kind, available, held: 0, debt: 0, grants, purpose, description, effective_at }
    }

    /// The type of generation that the credits were for. `None`: an amount that the caller chose, or no use at all.
    #[must_use]
    pub const fn generation_type(&self) -> Option<&'a GenerationType> {
        match self.purpose {
            Some(Purpose::Generation { id: _, kind, options: _ }) => Some(kind),
            Some(Purpose::Named { .. }) | None => None,
        }
    }
}

const fn taken(amount: Credits) -> i64 {
    // Credits are never negative, so their negation fits.
    amount.get().saturating_neg()
}

fn sum(draws: &[Draw]) -> i64 {
    draws.iter().fold(0, |sum, draw| sum.saturating_add(draw.amount.get()))
}

/// At most two changes, in order. An account's changes of `available` sum to its available and frozen credits.
#[must_use]
pub fn credit_changes(event: &Event) -> [Option<CreditChange<'_>>; 2] {
    match event {
        Event::Credits(CreditsEvent::CreditsGranted { grant, purpose, .. }) => {
            [Some(granted(grant, purpose.as_ref())), None]
        }
        Event::Credits(CreditsEvent::CreditsDeducted { amount, draws, purpose, .. }) => {
            [Some(used(*amount, draws, purpose)), None]
        }
        Event::Credits(CreditsEvent::CreditsRefunded { returns, reason, purpose, .. }) => {
            [refunded(returns, reason, purpose), None]
        }
        Event::Credits(CreditsEvent::CreditsExpired { grant_id, amount, .. }) => {
            [Some(CreditChange::new(LineKind::Expiry, taken(*amount), LineGrants::One(grant_id))), None]
        }
        Event::Credits(CreditsEvent::GrantEndMoved { grant_id, revived, .. }) => {
            let line = CreditChange::new(LineKind::ExpiryReversed, revived.get(), LineGrants::One(grant_id));
            [(!revived.is_zero()).then_some(line), None]
        }
        Event::Credits(CreditsEvent::CreditsAdjusted { amount, draws, reason, .. }) => {
            [Some(adjusted(*amount, draws, reason)), None]
        }
        Event::Credits(CreditsEvent::CreditsClawedBack { payment, grant_id, voided, owed, .. }) => {
            [Some(returned(LineKind::Clawback, taken(*voided), owed.get(), grant_id, payment)), None]
        }
        Event::Credits(CreditsEvent::CreditsRestored { payment, grant_id, restored, unowed, .. }) => {
            let line =
                returned(LineKind::ClawbackReversed, restored.get(), taken(*unowed), grant_id, payment);
            [Some(line), None]
        }
        Event::Credits(CreditsEvent::GrantFrozen { grant_id, dispute, .. }) => {
            [Some(frozen(LineKind::Freeze, grant_id, dispute)), None]
        }
        Event::Credits(CreditsEvent::GrantUnfrozen { grant_id, dispute, .. }) => {
            [Some(frozen(LineKind::Unfreeze, grant_id, dispute)), None]
        }
        Event::Credits(CreditsEvent::DebtPaid { grant_id, amount, .. }) => {
            [Some(debt_paid(*amount, grant_id)), None]
        }
        Event::Credits(CreditsEvent::DebtForgiven { amount, reason, .. }) => {
            [Some(debt_forgiven(*amount, reason)), None]
        }
        Event::Hold(event) => changes_of_hold(event),
        Event::Account(AccountEvent::AccountOpened { moved_in, .. }) => {
            [moved_in.as_ref().and_then(debt_moved_in), None]
        }
        Event::Account(
            AccountEvent::CustomerLinked { .. }
            | AccountEvent::CustomerUnlinked { .. }
            | AccountEvent::CustomerDiscounted { .. }
            | AccountEvent::CustomerDiscountEnded { .. }
            | AccountEvent::AccountMetadataSet { .. }
            | AccountEvent::AccountClosed { .. },
        )
        | Event::Invoice(_)
        | Event::Subscription(_)
        | Event::Notice(_)
        | Event::Payment(_)
        | Event::Checkout(_) => [None, None],
    }
}

fn changes_of_hold(event: &HoldEvent) -> [Option<CreditChange<'_>>; 2] {
    match event {
        HoldEvent::CreditsHeld { amount, draws, purpose, .. }
        | HoldEvent::HoldToppedUp { amount, draws, purpose, .. } => {
            let line = CreditChange::new(LineKind::Hold, taken(*amount), LineGrants::Draws(draws));
            [Some(CreditChange { held: amount.get(), purpose: Some(purpose), ..line }), None]
        }
        HoldEvent::HoldCommitted { amount, draws, returns, purpose, .. } => {
            let whole = amount.get().saturating_add(sum(returns));
            [Some(no_longer_held(whole, draws, Some(purpose))), Some(used(*amount, draws, purpose))]
        }
        HoldEvent::HoldSpent { amount, draws, purpose, description, .. } => {
            let description = description.as_deref();
            let lines = [no_longer_held(amount.get(), draws, Some(purpose)), used(*amount, draws, purpose)];
            lines.map(|line| Some(CreditChange { description, ..line }))
        }
        HoldEvent::HoldReduced { returns, purpose, .. } => {
            [Some(no_longer_held(sum(returns), returns, Some(purpose))), None]
        }
        HoldEvent::HoldReleased { returns, purpose, .. }
        | HoldEvent::HoldExpired { returns, purpose, .. } => {
            [Some(no_longer_held(sum(returns), returns, purpose.as_ref())), None]
        }
        HoldEvent::HoldExtended { .. } => [None, None],
    }
}

fn granted<'a>(grant: &'a GrantTerms, purpose: Option<&'a Purpose>) -> CreditChange<'a> {
    let line = CreditChange::new(grant.source.into(), grant.amount.get(), LineGrants::One(&grant.grant_id));
    CreditChange { purpose, description: grant.reason.as_deref(), ..line }
}

fn no_longer_held<'a>(amount: i64, draws: &'a [Draw], purpose: Option<&'a Purpose>) -> CreditChange<'a> {
    let line = CreditChange::new(LineKind::HoldReturned, amount, LineGrants::Draws(draws));
    CreditChange { held: amount.saturating_neg(), purpose, ..line }
}

/// Reissued credits come as a grant, which has a line of its own.
fn refunded<'a>(returns: &'a [Draw], reason: &'a str, purpose: &'a Purpose) -> Option<CreditChange<'a>> {
    let line = CreditChange::new(LineKind::Refund, sum(returns), LineGrants::Draws(returns));
    (!returns.is_empty()).then_some(CreditChange {
        purpose: Some(purpose),
        description: Some(reason),
        ..line
    })
}

fn used<'a>(amount: Credits, draws: &'a [Draw], purpose: &'a Purpose) -> CreditChange<'a> {
    let line = CreditChange::new(LineKind::Usage, taken(amount), LineGrants::Draws(draws));
    CreditChange { purpose: Some(purpose), ..line }
}

fn adjusted<'a>(amount: Credits, draws: &'a [Draw], reason: &'a str) -> CreditChange<'a> {
    let line = CreditChange::new(LineKind::Adjustment, taken(amount), LineGrants::Draws(draws));
    CreditChange { description: Some(reason), ..line }
}

/// The debt is one of the account's state, which may be of an earlier time than the import.
fn debt_moved_in(moved_in: &MovedIn) -> Option<CreditChange<'_>> {
    let line = CreditChange::new(LineKind::DebtMovedIn, 0, LineGrants::None);
    (!moved_in.debt.is_zero()).then_some(CreditChange {
        debt: moved_in.debt.get(),
        effective_at: Some(moved_in.as_of),
        ..line
    })
}

fn debt_paid(amount: Credits, grant: &GrantId) -> CreditChange<'_> {
    CreditChange {
        debt: taken(amount),
        ..CreditChange::new(LineKind::DebtPaid, taken(amount), LineGrants::One(grant))
    }
}

fn debt_forgiven(amount: Credits, reason: &str) -> CreditChange<'_> {
    let line = CreditChange::new(LineKind::DebtForgiven, 0, LineGrants::None);
    CreditChange { debt: taken(amount), description: Some(reason), ..line }
}

/// What a clawback took, or its reversal returned.
fn returned<'a>(
    kind: LineKind,
    available: i64,
    debt: i64,
    grant: &'a GrantId,
    payment: &'a ProviderId,
) -> CreditChange<'a> {
    CreditChange {
        debt,
        description: Some(payment.as_str()),
        ..CreditChange::new(kind, available, LineGrants::One(grant))
    }
}

/// No credits move; only the available credits of the line change.
fn frozen<'a>(kind: LineKind, grant: &'a GrantId, dispute: &'a ProviderId) -> CreditChange<'a> {
    CreditChange { description: Some(dispute.as_str()), ..CreditChange::new(kind, 0, LineGrants::One(grant)) }
}
