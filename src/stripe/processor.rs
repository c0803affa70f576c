//! How do stored events reach the ledger? Here they are translated, and their commands executed.
//!
//! Each customer's events are taken up in the order of arrival, several at a time, and customers side by side.
//! Nothing depends on that order, it only spares waiting. What an event leaves out is fetched ([`super::rest`]). An event whose commands were executed and which was
//! not marked so, because the process died in between, is handled again: its commands have the same keys, and
//! count once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Deployment,
    calls::Calls,
    client::Client,
    envelope::Envelope,
    inbox::{
        Inbox, State,
        claim::{Due, Learned, Settled},
    },
    known::{Known, NotFound, bought_by},
    rest::{self, Rest},
    second,
    translate::{Owner, SetAside, Step, Translation, translate},
    watch::Watch,
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
/// How many events of one customer are worked on at the same time. The next ones are decided while the first
/// are being stored.
const EVENTS_CONCURRENT_MAX: usize = 64;
/// For how long a claim is worked on. What is left then goes back, so that no transaction stays open for
/// long.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);
/// For how long is waited, in one claim, for what its events leave out.
const FETCH_PATIENCE: Duration = Duration::from_secs(5);
/// For how many events at the same time.
const FETCHES_CONCURRENT_MAX: usize = 8;
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
    watch: Watch,
    /// Whom to ask for what an event leaves out; without it, such an event waits.
    client: Option<Client>,
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
    pub fn new(inbox: Inbox, ledger: Ledger, deployment: Deployment) -> Self {
        Self { inbox, ledger, deployment, watch: Watch::default(), client: None }
    }

    /// The same, asking Stripe for what events leave out.
    #[must_use]
    pub fn asking(self, client: Option<Client>) -> Self {
        Self { client, ..self }
    }

    /// What went wrong lately.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Works until `stop`. What is claimed by then is finished first.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let rest = match self.work().await {
                Ok(Progress::Handled(_)) => continue,
                Ok(Progress::Idle) => POLL_INTERVAL,
                Ok(Progress::Interrupted) => PAUSE,
                Err(error) => {
                    self.watch.failed();
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
        let parties = self.translate_all(std::mem::take(&mut claim.due)).await;
        let known = Known {
            links: claim.links(&names(&parties, Owner::customer)).await?,
            payments: claim.payments(&names(&parties, Owner::payment)).await?,
        };
        let deadline = Instant::now() + CLAIM_PATIENCE;
        let handled: Vec<Handled> = stream::iter(parties.into_values())
            .map(|party| self.handle_party(party, &known, deadline))
            .buffer_unordered(PARTIES_CONCURRENT_MAX)
            .collect()
            .await;
        let interrupted = handled.iter().any(|party| party.interrupted);
        let (mut settled, mut learned) = (Vec::new(), Learned::default());
        for party in handled {
            settled.extend(party.settled);
            learned.links.extend(party.learned.links);
            learned.payments.extend(party.learned.payments);
        }
        settled.iter().for_each(|settled| self.watch.event(settled));
        claim.settle(&settled, &learned, at).await?;
        Ok(if interrupted { Progress::Interrupted } else { Progress::Handled(settled.len()) })
    }

    /// By party, each in the order of arrival.
    async fn translate_all(&self, due: Vec<Due>) -> BTreeMap<String, Vec<Translated>> {
        let until = Instant::now() + FETCH_PATIENCE;
        let mut translated = stream::iter(due)
            .map(|due| async move {
                let translation = self.translate(&due.body, until).await;
                Translated { due, translation }
            })
            .buffered(FETCHES_CONCURRENT_MAX);
        let mut parties: BTreeMap<String, Vec<Translated>> = BTreeMap::new();
        while let Some(event) = translated.next().await {
            parties.entry(event.due.party.clone()).or_default().push(event);
        }
        parties
    }

    /// What cannot be fetched makes the event wait, and is asked for again with its next attempt.
    async fn translate(&self, body: &[u8], until: Instant) -> Translation {
        let event = Envelope::parse(body).map_err(|error| SetAside::Held(error.to_string()))?;
        let translation = translate(&event, self.ledger.catalog(), &self.deployment);
        let Some((client, rest)) = self.client.as_ref().zip(Rest::of(&event, &translation)) else {
            return match rest::without_items(&event, &translation) {
                Some(event) => translate(&event, self.ledger.catalog(), &self.deployment),
                None => translation,
            };
        };
        match tokio::time::timeout_at(until, rest.fetch(client, event)).await {
            Ok(Ok(event)) => translate(&event, self.ledger.catalog(), &self.deployment),
            Ok(Err(error)) => Err(SetAside::Incomplete(format!("the rest of its lines: {error}"))),
            Err(_) => Err(SetAside::Incomplete("the rest of its lines was not there in time".to_owned())),
        }
    }

    /// Whose each event is follows from the ones before it, so that is found out first, for all of them. Then
    /// their commands are sent, without waiting for each to be stored before the next is decided.
    async fn handle_party(&self, events: Vec<Translated>, known: &Known, deadline: Instant) -> Handled {
        let mut known = known.part_for(events.iter().filter_map(Translated::owner));
        let plans: Vec<Plan> = events.into_iter().map(|event| plan(event, &mut known)).collect();
        let mut outcomes = stream::iter(plans)
            .map(|plan| async move {
                if Instant::now() > deadline { Outcome::Left } else { self.carry_out(plan).await }
            })
            .buffered(EVENTS_CONCURRENT_MAX);
        let mut handled = Handled::default();
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Outcome::Settled(settled, learned) => {
                    handled.settled.push(settled);
                    handled.learned.links.extend(learned.links);
                    handled.learned.payments.extend(learned.payments);
                }
                Outcome::Left => break,
                Outcome::Interrupted => {
                    handled.interrupted = true;
                    break;
                }
            }
        }
        handled
    }

    async fn carry_out(&self, plan: Plan) -> Outcome {
        let mut learned = Learned::default();
        let fate = match plan.todo {
            Err(fate) => fate,
            Ok((account, steps)) => match self.execute_all(&plan.due, &account, &steps, &mut learned).await {
                Ok(()) => Fate::Done(account),
                Err(Obstacle::Fate(fate)) => fate,
                Err(Obstacle::Passing) => return Outcome::Interrupted,
            },
        };
        Outcome::Settled(fate.settle(&plan.due, self.ledger.clock().now()), learned)
    }

    async fn execute_all(
        &self,
        due: &Due,
        account: &AccountId,
        steps: &[Step],
        learned: &mut Learned,
    ) -> Result<(), Obstacle> {
        for step in steps {
            self.execute(due, account, step).await?;
            if let Command::LinkCustomer { customer, .. } = &step.command {
                learned.links.push((customer.clone(), account.clone()));
            }
            if let Command::RecordSubscription(report) = &step.command {
                // What cannot be looked at now is looked at with the next report.
                let calls = Calls::new(self.inbox.pool().clone());
                let looked = second::look(&self.ledger, &calls, account, &report.terms.subscription).await;
                if let Err(error) = looked {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "two subscriptions are not looked for"
                    );
                }
            }
            let payment = bought_by(&step.command);
            learned.payments.extend(payment.map(|payment| (payment.clone(), account.clone())));
        }
        Ok(())
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

impl Translated {
    fn owner(&self) -> Option<&Owner> {
        match &self.translation {
            Ok(instructions) => Some(&instructions.owner),
            Err(SetAside::HeldIfOurs { owner, .. }) => Some(owner),
            Err(_) => None,
        }
    }
}

/// An event of which it is known whose it is, or what becomes of it without a command.
struct Plan {
    due: Due,
    todo: Result<(AccountId, Vec<Step>), Fate>,
}

enum Outcome {
    Settled(Settled, Learned),
    /// There was no time left for it.
    Left,
    /// The ledger takes nothing now, and that is not the event's fault.
    Interrupted,
}

/// What came of one customer's events.
#[derive(Default)]
struct Handled {
    settled: Vec<Settled>,
    learned: Learned,
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
    /// The same, but when it was tried too often, nothing is lost: it was about something that is not sold here.
    LaterIfAtAll(String),
    Dead(String),
}

impl Fate {
    fn of(aside: &SetAside) -> Self {
        let because = aside.because().to_owned();
        match aside {
            SetAside::Ignored(_) => Self::Aside(State::Ignored, because),
            SetAside::Incomplete(_) => Self::Later(because),
            SetAside::Quarantined(_) => Self::Aside(State::Quarantined, because),
            SetAside::Held(_) | SetAside::HeldIfOurs { .. } => Self::Dead(because),
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
            Self::Later(because) => wait(settled(State::Dead, Some(because), None), at),
            Self::LaterIfAtAll(because) => wait(settled(State::Ignored, Some(because), None), at),
        }
    }
}

/// One more attempt, unless there were enough: then this is what became of the event.
fn wait(given_up: Settled, at: Timestamp) -> Settled {
    let attempts = given_up.attempts.saturating_add(1);
    if attempts >= ATTEMPTS_MAX {
        return Settled { attempts, ..given_up };
    }
    let next_attempt_at = Some(at.plus(delay(attempts)));
    Settled { attempts, next_attempt_at, state: State::Waiting, ..given_up }
}

/// How long to wait after so many attempts.
fn delay(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let factor = 2_i64.checked_pow(doublings).unwrap_or(RETRY_DELAY_S_MAX);
    TimeDelta::seconds(RETRY_DELAY_S_MIN.saturating_mul(factor).min(RETRY_DELAY_S_MAX))
}

/// The customers, or the payments, that these events lead to their accounts by.
fn names(
    parties: &BTreeMap<String, Vec<Translated>>,
    name: impl Fn(&Owner) -> Option<&ProviderId>,
) -> Vec<&str> {
    let owners = parties.values().flatten().filter_map(Translated::owner);
    let names: BTreeSet<&str> = owners.filter_map(name).map(ProviderId::as_str).collect();
    names.into_iter().collect()
}

/// Finds whose the event is, and leaves out links that are there. A link that it makes holds for the next
/// events already: they would make the same one.
#[expect(clippy::wildcard_enum_match_arm, reason = "only a link may be there already")]
fn plan(event: Translated, known: &mut Known) -> Plan {
    let Translated { due, translation } = event;
    let instructions = match translation {
        Ok(instructions) => instructions,
        Err(SetAside::HeldIfOurs { owner, because }) if known.account_of(&owner).is_err() => {
            return Plan { due, todo: Err(Fate::LaterIfAtAll(because)) };
        }
        Err(aside) => return Plan { due, todo: Err(Fate::of(&aside)) },
    };
    let account = match known.account_of(&instructions.owner) {
        Ok(account) => account,
        Err(NotFound::Yet(because)) => {
            let only_links = instructions.steps.iter().all(|step| is_payment_link(&step.command));
            let fate = if only_links { Fate::LaterIfAtAll } else { Fate::Later };
            return Plan { due, todo: Err(fate(because.to_owned())) };
        }
        Err(NotFound::Contradiction(because)) => {
            return Plan { due, todo: Err(Fate::Dead(because.to_owned())) };
        }
    };
    let mut steps = instructions.steps;
    steps.retain(|step| match &step.command {
        Command::LinkCustomer { customer, .. } => known.link(customer, &account),
        _ => true,
    });
    Plan { due, todo: Ok((account, steps)) }
}

/// Whether the command only says which invoice a payment was for.
const fn is_payment_link(command: &Command) -> bool {
    matches!(command, Command::LinkPayment { .. })
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
