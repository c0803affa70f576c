//! What happened to an account, event by event, and do callers see the same?

use serde::Serialize;

use crate::{
    domain::{
        account::{Account, CorruptHistory, RunningBalances},
        catalog::Catalog,
        credits::Balance,
        ids::{AccountId, PlanId},
        recorded::{EventMetadata, Position, RecordedEvent},
        time::Timestamp,
    },
    journal::row::RowError,
    ledger::{Ledger, ViewError},
};

/// How many events are read at once.
const EVENTS_READ: i64 = 10_000;
/// After how many steps other tasks of the thread get a turn.
const STEPS_AT_ONCE: usize = 100;

/// The replayed history of an account.
#[derive(Clone, Debug, Serialize)]
pub struct Replay {
    pub account: AccountId,
    pub steps: Vec<ReplayStep>,
    /// The balance at the end, at the time of the audit.
    pub balance: Balance,
    pub plan: Option<PlanId>,
    /// Whether the whole history was replayed, so that it could be compared.
    pub whole: bool,
    /// Descriptions of how the replay differs from what callers see. Empty: it does not.
    pub differences: Vec<String>,
}

/// One event, and the balance after it.
#[derive(Clone, Debug, Serialize)]
pub struct ReplayStep {
    pub sequence: i64,
    pub position: Position,
    pub event_type: &'static str,
    pub recorded_at: Timestamp,
    pub effective_at: Timestamp,
    pub event: crate::domain::event::Event,
    pub metadata: EventMetadata,
    /// As replayed, at the time when the event was recorded.
    pub balance: Balance,
    /// As replayed, at the latest effective time so far.
    #[serde(skip)]
    pub balance_then: Option<Balance>,
    pub plan: Option<PlanId>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("account {0} has no events")]
    NoSuchAccount(AccountId),
    #[error("an event cannot be read")]
    Row(#[from] RowError),
    #[error("event {sequence} does not follow the account's history")]
    Corrupt {
        sequence: i64,
        #[source]
        source: CorruptHistory,
    },
    #[error("what callers see cannot be read")]
    View(#[from] ViewError),
}

/// Replays an account's events up to `as_of`, and compares the end with what callers see.
///
/// # Errors
/// If there is no such account, or its history cannot be read or is damaged.
pub async fn replay(
    ledger: &Ledger,
    account: &AccountId,
    as_of: Option<Timestamp>,
) -> Result<Replay, ReplayError> {
    let (mut state, mut balances) = (Account::Unopened, RunningBalances::default());
    let mut steps: Vec<ReplayStep> = Vec::new();
    let mut whole;
    loop {
        let after = steps.last().map_or(0, |step| step.sequence);
        let events = ledger.stream(account, after, EVENTS_READ).await?;
        let read = events.len();
        let known =
            events.into_iter().take_while(|event| as_of.is_none_or(|as_of| event.recorded_at <= as_of));
        for recorded in known {
            if steps.len().is_multiple_of(STEPS_AT_ONCE) {
                // The thread also answers other requests.
                tokio::task::yield_now().await;
            }
            steps.push(step(&mut state, &mut balances, recorded, ledger.catalog())?);
        }
        let taken = steps.last().map_or(0, |step| step.sequence) - after;
        whole = i64::try_from(read).is_ok_and(|read| read == taken);
        if read == 0 || !whole {
            break;
        }
    }
    if steps.is_empty() {
        return Err(ReplayError::NoSuchAccount(account.clone()));
    }
    let at = as_of.unwrap_or_else(|| ledger.clock().now());
    let differences = if whole { compare(ledger, account, &state, &steps).await? } else { Vec::new() };
    Ok(Replay {
        account: account.clone(),
        balance: state.balance(at),
        plan: plan(&state, at, ledger.catalog()),
        steps,
        whole,
        differences,
    })
}

fn step(
    state: &mut Account,
    balances: &mut RunningBalances,
    recorded: RecordedEvent,
    catalog: &Catalog,
) -> Result<ReplayStep, ReplayError> {
    let sequence = recorded.sequence;
    state.apply(&recorded.event).map_err(|source| ReplayError::Corrupt { sequence, source })?;
    let (balance, balance_then) = balances.after(&recorded.event, state, recorded.recorded_at);
    Ok(ReplayStep {
        sequence,
        position: recorded.position,
        event_type: recorded.event.name(),
        recorded_at: recorded.recorded_at,
        effective_at: recorded.event.effective_at(),
        balance,
        balance_then,
        plan: plan(state, recorded.recorded_at, catalog),
        event: recorded.event,
        metadata: recorded.metadata,
    })
}

async fn compare(
    ledger: &Ledger,
    account: &AccountId,
    state: &Account,
    steps: &[ReplayStep],
) -> Result<Vec<String>, ReplayError> {
    let view = ledger.view(account).await?;
    let mut differences = Vec::new();
    let last = steps.last().map_or(0, |step| step.sequence);
    if view.sequence == last && view.account != *state {
        differences.push(format!("callers see another state than the replay of {last} events"));
    }
    if view.sequence < last {
        differences.push(format!("callers see only {} of {last} events", view.sequence));
    }
    for step in steps {
        let (told, held) = (step.metadata.balance, step.balance);
        // Available credits depend on the time of the decision, but held credits and debt do not.
        if (told.held, told.debt) != (held.held, held.debt) {
            differences.push(format!(
                "event {} was answered with held {} and debt {}, the replay says {} and {}",
                step.sequence, told.held, told.debt, held.held, held.debt
            ));
        }
        // Neither does the statement's balance of a late event, which does not depend on a clock.
        if step.metadata.balance_then.is_some_and(|then| step.balance_then != Some(then)) {
            differences.push(format!(
                "event {} was stored with another balance of its time than the replay says",
                step.sequence
            ));
        }
    }
    Ok(differences)
}

fn plan(state: &Account, at: Timestamp, catalog: &Catalog) -> Option<PlanId> {
    state.opened().map(|account| account.plan(at, catalog).clone())
}
