//! How do stored events reach the ledger? Here they are translated, and their commands executed.
//!
//! Each customer's events are handled in the order of arrival, and customers side by side. Nothing depends on
//! that order, it only spares waiting. An event whose commands were executed and which was not marked so,
//! because the process died in between, is handled again: its commands have the same keys, and count once.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Deployment,
    envelope::Envelope,
    inbox::{
        Inbox, State,
        claim::{Due, Links, NO_LINK, Settled},
    },
    translate::{Owner, SetAside, Step, Translation, translate},
};
use crate::{
    domain::{
        command::Command,
        names::{AccountId, Actor, ProviderId},
        refusal::Refusal,
        time::Timestamp,
    },
    ledger::{ExecuteError, Key, Ledger, Origin, Provenance, Request},
};

/// How often an event is tried before a person has to look: with the delays below, for about nine hours.
pub const ATTEMPTS_MAX: i32 = 20;
/// The delay after the first attempt. It doubles with each further one.
pub const RETRY_DELAY_S_MIN: i64 = 1;
/// The longest delay between two attempts.
pub const RETRY_DELAY_S_MAX: i64 = 3_600;

/// How many customers are worked on at the same time.
const PARTIES_CONCURRENT_MAX: usize = 64;
/// For how long a claim is worked on. What is left then goes back, so that no transaction stays open for
/// long.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);
/// How often events are looked for that another instance stored, or whose delay is over.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How long to stay away from a ledger or database that takes nothing now.
const PAUSE: Duration = Duration::from_millis(250);

/// Handles the inbox's events for as long as it runs. Any number may run on one database.
#[derive(Clone)]
pub struct Processor {
    inbox: Inbox,
    ledger: Ledger,
    deployment: Deployment,
}

/// What a look into the inbox came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is due.
    Idle,
    /// So many events were handled, and there may be more.
    Handled(usize),
    /// The ledger takes nothing now. What was not handled stays as it was.
    Interrupted,
}

impl Processor {
    #[must_use]
    pub const fn new(inbox: Inbox, ledger: Ledger, deployment: Deployment) -> Self {
        Self { inbox, ledger, deployment }
    }

    /// Works until `stop`. What is claimed by then is finished first.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let rest = match self.work().await {
                Ok(Progress::Handled(_)) => continue,
                Ok(Progress::Idle) => POLL_INTERVAL,
                Ok(Progress::Interrupted) => PAUSE,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the inbox cannot be worked on");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.inbox.arrival() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Handles what is due now, up to one claim's worth.
    ///
    /// # Errors
    /// When the database does not answer. Nothing is lost by that: it is all done again.
    pub async fn work(&self) -> Result<Progress, sqlx::Error> {
        let at = self.ledger.clock().now();
        let mut claim = self.inbox.claim(at).await?;
        if claim.due.is_empty() {
            return Ok(Progress::Idle);
        }
        let parties = self.translate_all(std::mem::take(&mut claim.due));
        let links = claim.links(&customers(&parties)).await?;
        let deadline = Instant::now() + CLAIM_PATIENCE;
        let handled: Vec<Handled> = stream::iter(parties.into_values())
            .map(|party| self.handle_party(party, &links, deadline))
            .buffer_unordered(PARTIES_CONCURRENT_MAX)
            .collect()
            .await;
        let interrupted = handled.iter().any(|party| party.interrupted);
        let settled: Vec<Settled> = handled.iter().flat_map(|party| party.settled.clone()).collect();
        let links: Vec<_> = handled.into_iter().flat_map(|party| party.links).collect();
        settled.iter().for_each(report);
        claim.settle(&settled, &links, at).await?;
        Ok(if interrupted { Progress::Interrupted } else { Progress::Handled(settled.len()) })
    }

    /// By party, each in the order of arrival.
    fn translate_all(&self, due: Vec<Due>) -> BTreeMap<String, Vec<Translated>> {
        let mut parties: BTreeMap<String, Vec<Translated>> = BTreeMap::new();
        for due in due {
            let translation = self.translate(&due.body);
            parties.entry(due.party.clone()).or_default().push(Translated { due, translation });
        }
        parties
    }

    fn translate(&self, body: &[u8]) -> Translation {
        let event = Envelope::parse(body).map_err(|error| SetAside::Held(error.to_string()))?;
        translate(&event, self.ledger.catalog(), &self.deployment)
    }

    async fn handle_party(&self, events: Vec<Translated>, links: &Links, deadline: Instant) -> Handled {
        let mut handled = Handled::default();
        let mut known = links_of(&events, links);
        for event in events {
            if Instant::now() > deadline {
                break;
            }
            let Some(fate) = self.handle(&event, &mut known, &mut handled.links).await else {
                handled.interrupted = true;
                break;
            };
            handled.settled.push(fate.settle(&event.due, self.ledger.clock().now()));
        }
        handled
    }

    /// `None`: the ledger takes nothing now, and that is not the event's fault.
    async fn handle(
        &self,
        event: &Translated,
        known: &mut Links,
        made: &mut Vec<(ProviderId, AccountId)>,
    ) -> Option<Fate> {
        let instructions = match &event.translation {
            Ok(instructions) => instructions,
            Err(aside) => return Some(Fate::of(aside)),
        };
        let account = match find_account(&instructions.owner, known) {
            Ok(account) => account,
            Err(fate) => return Some(fate),
        };
        for step in &instructions.steps {
            if is_linked(&step.command, &account, known) {
                continue;
            }
            match self.execute(&event.due, &account, step).await {
                Ok(()) => {}
                Err(Obstacle::Passing) => return None,
                Err(Obstacle::Fate(fate)) => return Some(fate),
            }
            if let Command::LinkCustomer { customer, .. } = &step.command {
                known.entry(customer.clone()).or_default().push(account.clone());
                made.push((customer.clone(), account.clone()));
            }
        }
        Some(Fate::Done(account))
    }

    async fn execute(&self, due: &Due, account: &AccountId, step: &Step) -> Result<(), Obstacle> {
        let request = Request {
            account: account.clone(),
            command: step.command.clone(),
            key: Key::stripe(&step.key),
            provenance: provenance(&due.event_id),
        };
        match self.ledger.execute(request).await {
            // A key that is taken means that another event has reported the same fact.
            Ok(_) | Err(ExecuteError::KeyReused) => Ok(()),
            Err(ExecuteError::Refused(refusal)) => {
                Err(Obstacle::Fate(Fate::Dead(format!("refused: {}", name(&refusal)))))
            }
            Err(ExecuteError::Damaged) => {
                Err(Obstacle::Fate(Fate::Later("the account's history is damaged".to_owned())))
            }
            Err(ExecuteError::Overloaded | ExecuteError::Unavailable | ExecuteError::OutcomeUnknown) => {
                Err(Obstacle::Passing)
            }
        }
    }
}

struct Translated {
    due: Due,
    translation: Translation,
}

/// What came of one customer's events.
#[derive(Default)]
struct Handled {
    settled: Vec<Settled>,
    links: Vec<(ProviderId, AccountId)>,
    interrupted: bool,
}

enum Obstacle {
    /// It will go away by itself.
    Passing,
    Fate(Fate),
}

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Done(AccountId),
    Aside(State, String),
    /// To be tried again, until it was tried too often.
    Later(String),
    Dead(String),
}

impl Fate {
    fn of(aside: &SetAside) -> Self {
        let because = aside.because().to_owned();
        match aside {
            SetAside::Ignored(_) => Self::Aside(State::Ignored, because),
            SetAside::NotHandledYet(_) => Self::Aside(State::NotHandledYet, because),
            SetAside::Quarantined(_) => Self::Aside(State::Quarantined, because),
            SetAside::Held(_) => Self::Dead(because),
        }
    }

    fn settle(self, due: &Due, at: Timestamp) -> Settled {
        let settled = |state, reason, account| Settled {
            event_id: due.event_id.clone(),
            state,
            reason,
            attempts: due.attempts,
            next_attempt_at: None,
            account,
        };
        match self {
            Self::Done(account) => settled(State::Processed, None, Some(account)),
            Self::Aside(state, because) => settled(state, Some(because), None),
            Self::Dead(because) => settled(State::Dead, Some(because), None),
            Self::Later(because) => {
                let attempts = due.attempts.saturating_add(1);
                let given_up = attempts >= ATTEMPTS_MAX;
                let state = if given_up { State::Dead } else { State::Waiting };
                let next_attempt_at = (!given_up).then(|| at.plus(delay(attempts)));
                Settled { attempts, next_attempt_at, ..settled(state, Some(because), None) }
            }
        }
    }
}

/// How long to wait after so many attempts.
fn delay(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let factor = 2_i64.checked_pow(doublings).unwrap_or(RETRY_DELAY_S_MAX);
    TimeDelta::seconds(RETRY_DELAY_S_MIN.saturating_mul(factor).min(RETRY_DELAY_S_MAX))
}

fn customers(parties: &BTreeMap<String, Vec<Translated>>) -> Vec<&str> {
    let instructions = parties.values().flatten().filter_map(|event| event.translation.as_ref().ok());
    let customers = instructions.filter_map(|instructions| instructions.owner.customer());
    customers.map(ProviderId::as_str).collect()
}

/// What of `links` these events need.
fn links_of(events: &[Translated], links: &Links) -> Links {
    let instructions = events.iter().filter_map(|event| event.translation.as_ref().ok());
    let customers = instructions.filter_map(|instructions| instructions.owner.customer());
    customers.filter_map(|customer| Some((customer.clone(), links.get(customer)?.clone()))).collect()
}

/// The account that the event names, or that its customer is linked to.
fn find_account(owner: &Owner, known: &Links) -> Result<AccountId, Fate> {
    let customer = match owner {
        Owner::Account { account, .. } => return Ok(account.clone()),
        Owner::Customer(customer) => customer,
    };
    match known.get(customer).map(Vec::as_slice) {
        Some([account]) => Ok(account.clone()),
        Some([_, _, ..]) => Err(Fate::Dead("its customer is linked to several accounts".to_owned())),
        Some([]) | None => Err(Fate::Later(NO_LINK.to_owned())),
    }
}

/// Whether the command only asks for a link that is there.
fn is_linked(command: &Command, account: &AccountId, known: &Links) -> bool {
    let Command::LinkCustomer { customer, .. } = command else {
        return false;
    };
    known.get(customer).is_some_and(|accounts| accounts.contains(account))
}

fn provenance(event_id: &str) -> Provenance {
    Provenance {
        actor: Actor::parse("stripe").expect("the word is a valid name"),
        origin: Origin::Stripe,
        correlation_id: None,
        causation_id: Some(event_id.to_owned()),
        stripe_event: Some(event_id.to_owned()),
    }
}

/// The refusal's name, as it is written in JSON, without its particulars.
fn name(refusal: &Refusal) -> String {
    match serde_json::to_value(refusal) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
        Ok(_) | Err(_) => String::new(),
    }
}

fn report(settled: &Settled) {
    let (event, reason) = (&settled.event_id, settled.reason.as_deref().unwrap_or_default());
    match settled.state {
        State::Dead | State::Quarantined => {
            tracing::warn!(event, state = settled.state.as_str(), reason, "a Stripe event needs a look");
        }
        State::Received
        | State::Processed
        | State::Ignored
        | State::NotHandledYet
        | State::Waiting
        | State::Discarded => {
            tracing::debug!(event, state = settled.state.as_str(), reason, "a Stripe event was handled");
        }
    }
}
