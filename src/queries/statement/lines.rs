//! Which lines of the statement does an event have?

use chrono_tz::Tz;

use crate::domain::{
    credits::Balance,
    event::Purpose,
    ids::{GenerationId, GenerationType, GrantId},
    recorded::{JournalPosition, RecordedEvent},
    statement::{CreditChange, LineKind, credit_changes},
    time::Timestamp,
};

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
    let changes: Vec<CreditChange<'_>> = credit_changes(&recorded.event).into_iter().flatten().collect();
    let Balance { available, held, debt, settled: _ } = recorded.balance_then();
    let (mut available, mut held, mut debt) = (available.get(), held.get(), debt.get());
    let mut lines = Vec::with_capacity(changes.len());
    for (number, change) in changes.iter().enumerate().rev() {
        lines.push(StatementLine {
            at: recorded.at(),
            sequence: recorded.sequence,
            line: i16::try_from(number).unwrap_or(i16::MAX),
            effective_at: change.effective_at.unwrap_or_else(|| recorded.event.effective_at()),
            recorded_at: recorded.recorded_at,
            kind: change.kind,
            amount: change.available,
            available,
            held,
            debt,
            grants: change.grants.ids(),
            description: change.description.or(change.purpose.and_then(description)).map(ToOwned::to_owned),
            generation_id: change.purpose.and_then(Purpose::generation_id).cloned(),
            generation_type: change.generation_type().cloned(),
        });
        available = available.saturating_sub(change.available);
        held = held.saturating_sub(change.held);
        debt = debt.saturating_sub(change.debt);
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
