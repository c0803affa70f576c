//! Which lines of the statement does an event have?

use chrono_tz::Tz;

use crate::domain::{
    amount::Credits,
    credits::{Balance, GrantTerms},
    event::{AccountEvent, CreditsEvent, Draw, Event, HoldEvent, Purpose},
    ids::{GenerationId, GenerationType, GrantId, ProviderId},
    moving::MovedIn,
    recorded::{JournalPosition, RecordedEvent},
    time::Timestamp,
};

use super::kind::LineKind;

/// The grants that a line took credits from or gave credits to.
#[derive(Clone, Copy)]
enum LineGrants<'a> {
    None,
    One(&'a GrantId),
    Draws(&'a [Draw]),
}

impl LineGrants<'_> {
    fn ids(self) -> Vec<GrantId> {
        match self {
            Self::None => Vec::new(),
            Self::One(grant) => vec![grant.clone()],
            Self::Draws(draws) => draws.iter().map(|draw| draw.grant_id.clone()).collect(),
        }
    }
}

/// A line, by what it changes.
struct LineDraft<'a> {
    kind: LineKind,
    available: i64,
    held: i64,
    debt: i64,
    grants: LineGrants<'a>,
    purpose: Option<&'a Purpose>,
    description: Option<&'a str>,
    /// When it took effect. `None`: when its event did.
    effective_at: Option<Timestamp>,
}

impl<'a> LineDraft<'a> {
    const fn new(kind: LineKind, available: i64, grants: LineGrants<'a>) -> Self {
        let (purpose, description, effective_at) = (None, None, None);
        Self { kind, available, held: 0, debt: 0, grants, purpose, description, effective_at }
    }
}

/// A movement of credits, with the balance after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    pub at: JournalPosition,
    pub sequence: i64,
    /// The number of the line within its event, from 0.
    pub line: i16,
    pub effective_at: Timestamp,
    pub recorded_at: Timestamp,
    pub kind: LineKind,
    /// What the line adds to the available and frozen credits; negative if it takes.
    pub amount: i64,
    pub available: i64,
    pub held: i64,
    pub debt: i64,
    pub grants: Vec<GrantId>,
    /// The text of the event.
    pub description: Option<String>,
    pub generation_id: Option<GenerationId>,
    pub generation_type: Option<GenerationType>,
}

impl StatementLine {
    /// The description for people: the text of the event, else the type of generation, else the description of the
    /// line's kind.
    #[must_use]
    pub fn words(&self) -> &str {
        let said = self.description.as_deref().filter(|said| !said.is_empty());
        let generation_type = self.generation_type.as_ref().map(GenerationType::as_str);
        said.or(generation_type).unwrap_or_else(|| self.kind.description())
    }

    /// The month of its effective time in a time zone, such as `2025-06`.
    #[must_use]
    pub fn period(&self, zone: Tz) -> String {
        self.effective_at.to_utc().with_timezone(&zone).format("%Y-%m").to_string()
    }
}

/// The lines of one event, at most two, in order.
/// The balance after each is computed backwards from the balance after the event.
#[must_use]
pub fn lines_of(recorded: &RecordedEvent) -> Vec<StatementLine> {
    let drafts: Vec<LineDraft<'_>> = drafts(&recorded.event).into_iter().flatten().collect();
    let Balance { available, held, debt, settled: _ } = recorded.balance_then();
    let (mut available, mut held, mut debt) = (available.get(), held.get(), debt.get());
    let mut lines = Vec::with_capacity(drafts.len());
    for (number, draft) in drafts.iter().enumerate().rev() {
        lines.push(StatementLine {
            at: recorded.at(),
            sequence: recorded.sequence,
            line: i16::try_from(number).unwrap_or(i16::MAX),
            effective_at: draft.effective_at.unwrap_or_else(|| recorded.event.effective_at()),
            recorded_at: recorded.recorded_at,
            kind: draft.kind,
            amount: draft.available,
            available,
            held,
            debt,
            grants: draft.grants.ids(),
            description: draft.description.or(draft.purpose.and_then(description)).map(ToOwned::to_owned),
            generation_id: draft.purpose.and_then(Purpose::generation_id).cloned(),
            generation_type: draft.purpose.and_then(generation_type).cloned(),
        });
        available = available.saturating_sub(draft.available);
        held = held.saturating_sub(draft.held);
        debt = debt.saturating_sub(draft.debt);
    }
    lines.reverse();
    lines
}

fn description(purpose: &Purpose) -> Option<&str> {
    match purpose {
        Purpose::Generation { .. } => None,
        Purpose::Named { id: _, description } => description.as_deref(),
    }
}

const fn generation_type(purpose: &Purpose) -> Option<&GenerationType> {
    match purpose {
        Purpose::Generation { id: _, kind, options: _ } => Some(kind),
        Purpose::Named { .. } => None,
    }
}

const fn taken(amount: Credits) -> i64 {
    // Credits are never negative, so their negation fits.
    amount.get().saturating_neg()
}

fn sum(draws: &[Draw]) -> i64 {
    draws.iter().fold(0, |sum, draw| sum.saturating_add(draw.amount.get()))
}

/// At most two lines, in order.
fn drafts(event: &Event) -> [Option<LineDraft<'_>>; 2] {
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
            [Some(LineDraft::new(LineKind::Expiry, taken(*amount), LineGrants::One(grant_id))), None]
        }
        Event::Credits(CreditsEvent::GrantEndMoved { grant_id, revived, .. }) => {
            let line = LineDraft::new(LineKind::ExpiryReversed, revived.get(), LineGrants::One(grant_id));
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
        Event::Hold(event) => drafts_of_hold(event),
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

fn drafts_of_hold(event: &HoldEvent) -> [Option<LineDraft<'_>>; 2] {
    match event {
        HoldEvent::CreditsHeld { amount, draws, purpose, .. }
        | HoldEvent::HoldToppedUp { amount, draws, purpose, .. } => {
            let line = LineDraft::new(LineKind::Hold, taken(*amount), LineGrants::Draws(draws));
            [Some(LineDraft { held: amount.get(), purpose: Some(purpose), ..line }), None]
        }
        HoldEvent::HoldCommitted { amount, draws, returns, purpose, .. } => {
            let whole = amount.get().saturating_add(sum(returns));
            [Some(no_longer_held(whole, draws, Some(purpose))), Some(used(*amount, draws, purpose))]
        }
        HoldEvent::HoldSpent { amount, draws, purpose, description, .. } => {
            let description = description.as_deref();
            let lines = [no_longer_held(amount.get(), draws, Some(purpose)), used(*amount, draws, purpose)];
            lines.map(|line| Some(LineDraft { description, ..line }))
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

fn granted<'a>(grant: &'a GrantTerms, purpose: Option<&'a Purpose>) -> LineDraft<'a> {
    let line = LineDraft::new(grant.source.into(), grant.amount.get(), LineGrants::One(&grant.grant_id));
    LineDraft { purpose, description: grant.reason.as_deref(), ..line }
}

fn no_longer_held<'a>(amount: i64, draws: &'a [Draw], purpose: Option<&'a Purpose>) -> LineDraft<'a> {
    let line = LineDraft::new(LineKind::HoldReturned, amount, LineGrants::Draws(draws));
    LineDraft { held: amount.saturating_neg(), purpose, ..line }
}

/// Reissued credits come as a grant, which has a line of its own.
fn refunded<'a>(returns: &'a [Draw], reason: &'a str, purpose: &'a Purpose) -> Option<LineDraft<'a>> {
    let line = LineDraft::new(LineKind::Refund, sum(returns), LineGrants::Draws(returns));
    (!returns.is_empty()).then_some(LineDraft { purpose: Some(purpose), description: Some(reason), ..line })
}

fn used<'a>(amount: Credits, draws: &'a [Draw], purpose: &'a Purpose) -> LineDraft<'a> {
    let line = LineDraft::new(LineKind::Usage, taken(amount), LineGrants::Draws(draws));
    LineDraft { purpose: Some(purpose), ..line }
}

fn adjusted<'a>(amount: Credits, draws: &'a [Draw], reason: &'a str) -> LineDraft<'a> {
    let line = LineDraft::new(LineKind::Adjustment, taken(amount), LineGrants::Draws(draws));
    LineDraft { description: Some(reason), ..line }
}

/// The debt is one of the account's state, which may be of an earlier time than the import.
fn debt_moved_in(moved_in: &MovedIn) -> Option<LineDraft<'_>> {
    let line = LineDraft::new(LineKind::DebtMovedIn, 0, LineGrants::None);
    (!moved_in.debt.is_zero()).then_some(LineDraft {
        debt: moved_in.debt.get(),
        effective_at: Some(moved_in.as_of),
        ..line
    })
}

fn debt_paid(amount: Credits, grant: &GrantId) -> LineDraft<'_> {
    LineDraft {
        debt: taken(amount),
        ..LineDraft::new(LineKind::DebtPaid, taken(amount), LineGrants::One(grant))
    }
}

fn debt_forgiven(amount: Credits, reason: &str) -> LineDraft<'_> {
    let line = LineDraft::new(LineKind::DebtForgiven, 0, LineGrants::None);
    LineDraft { debt: taken(amount), description: Some(reason), ..line }
}

/// What a clawback took, or its reversal returned.
fn returned<'a>(
    kind: LineKind,
    available: i64,
    debt: i64,
    grant: &'a GrantId,
    payment: &'a ProviderId,
) -> LineDraft<'a> {
    LineDraft {
        debt,
        description: Some(payment.as_str()),
        ..LineDraft::new(kind, available, LineGrants::One(grant))
    }
}

/// No credits move; only the available credits of the line change.
fn frozen<'a>(kind: LineKind, grant: &'a GrantId, dispute: &'a ProviderId) -> LineDraft<'a> {
    LineDraft { description: Some(dispute.as_str()), ..LineDraft::new(kind, 0, LineGrants::One(grant)) }
}
