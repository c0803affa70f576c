//! How do stored events reach the ledger? They are translated, and their commands are executed.
//!
//! The events of each customer are handled in the order of arrival, several at a time, and customers concurrently.
//! Nothing depends on that order; it only saves waiting.
//! Events that leave something out are handled separately, so that complete events do not wait while it is fetched
//! ([`super::invoice_lines`]).
//! If the process dies between the commands of an event and the record of its result, the event is handled again: its
//! commands have the same keys, and take effect once.

mod plan;
mod reading;

use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    accounts::{AccountLookup, LookupKeys, bought_by},
    alerts::Watch,
    disposition::Disposition,
    duplicate_subscriptions,
    inbox::{
        Inbox, InboxState,
        claim::{ClaimedEvent, EventResult, HandledFacts, HandlingContext},
    },
};
use crate::{
    domain::{
        command::{Command, CustomerCommand, SubscriptionCommand},
        ids::{AccountId, Actor},
        refusal::Refusal,
    },
    ledger::{ExecuteError, IdempotencyKey, Ledger, Origin, Provenance, Request},
    queue::Retries,
    stripe::{Deployment, calls::Calls, client::Client, translate::TranslationStep},
};

use plan::{RoutedEvent, RoutedReport, plan};
use reading::{Read, Translated, discounts_named, keys};

pub use super::disposition::RETRIES;

/// How many customers are worked on at the same time.
const PARTIES_CONCURRENT_MAX: usize = 64;
/// How many events of one customer are worked on at the same time.
/// The next ones are decided while the first are being stored.
const EVENTS_CONCURRENT_MAX: usize = 64;
/// For how long one claim is worked on. The remaining events go back, so that no transaction stays open for long.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);
/// For how long one claim waits for what its events leave out.
const FETCH_PATIENCE: Duration = Duration::from_secs(5);
/// For how many events something is fetched at the same time.
const FETCHES_CONCURRENT_MAX: usize = 8;
/// How often the inbox is checked for events that other instances stored, or whose delay is over.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How long to pause if the ledger or the database does not accept commands.
const PAUSE: Duration = Duration::from_millis(250);

/// Handles the inbox's events while it runs. Several may run on one database.
#[derive(Clone)]
pub struct Processor {
    inbox: Inbox,
    ledger: Ledger,
    deployment: Deployment,
    watch: Watch,
    /// Fetches what events leave out. `None`: such events wait.
    client: Option<Client>,
    retries: Retries,
}

/// The result of one check of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxProgress {
    /// Nothing is due.
    Idle,
    /// This many events were handled, and there may be more.
    Handled(usize),
    /// The ledger does not accept commands now. Events that were not handled are unchanged.
    Interrupted,
}

impl Processor {
    #[must_use]
    pub fn new(inbox: Inbox, ledger: Ledger, deployment: Deployment) -> Self {
        Self { inbox, ledger, deployment, watch: Watch::default(), client: None, retries: RETRIES }
    }

    /// The same processor, fetching from Stripe what events leave out.
    #[must_use]
    pub fn asking(self, client: Option<Client>) -> Self {
        Self { client, ..self }
    }

    /// The same processor, with other attempts and delays.
    #[must_use]
    pub fn retrying(self, retries: Retries) -> Self {
        Self { retries, ..self }
    }

    /// The recent failures.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Runs until `stop`. Claimed events are finished first.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(
            self.run_lane(HandlingContext::Whole, &stop),
            self.run_lane(HandlingContext::Asking, &stop)
        );
    }

    async fn run_lane(&self, lane: HandlingContext, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let rest = match self.work_lane(lane).await {
                Ok(InboxProgress::Handled(_)) => continue,
                Ok(InboxProgress::Idle) => POLL_INTERVAL,
                Ok(InboxProgress::Interrupted) => PAUSE,
                Err(error) => {
                    self.watch.failed();
                    tracing::warn!(error = &error as &dyn std::error::Error, "the inbox cannot be worked on");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.inbox.arrival(lane) => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Handles what is due now, up to one claim.
    ///
    /// # Errors
    /// If the database does not answer. Nothing is lost: it is all done again.
    pub async fn work(&self) -> Result<InboxProgress, sqlx::Error> {
        match self.work_lane(HandlingContext::Whole).await? {
            InboxProgress::Idle => self.work_lane(HandlingContext::Asking).await,
            progress @ (InboxProgress::Handled(_) | InboxProgress::Interrupted) => Ok(progress),
        }
    }

    async fn work_lane(&self, lane: HandlingContext) -> Result<InboxProgress, sqlx::Error> {
        let at = self.ledger.clock().now();
        let mut claim = self.inbox.claim(lane, at).await?;
        if claim.due.is_empty() {
            return Ok(InboxProgress::Idle);
        }
        let mut read: Vec<Read> = std::mem::take(&mut claim.due).into_iter().map(Read::of).collect();
        let askers = claim.askers(&keys(&read)).await?;
        read.iter_mut().for_each(|read| read.find_asker(&askers));
        let coupons = claim.coupons(&discounts_named(&read)).await?;
        let mut left = Vec::new();
        if lane == HandlingContext::Whole {
            (left, read) = self.incomplete(read, &coupons);
        }
        let parties = self.translate_all(read, &coupons).await;
        let events = parties.values().flatten().filter_map(Translated::owner_and_subject);
        let known = claim.accounts(&LookupKeys::of(events)).await?;
        let deadline = Instant::now() + CLAIM_PATIENCE;
        let handled: Vec<Handled> = stream::iter(parties.into_values())
            .map(|party| self.handle_party(party, &known, lane, deadline))
            .buffer_unordered(PARTIES_CONCURRENT_MAX)
            .collect()
            .await;
        let interrupted = handled.iter().any(|party| party.interrupted);
        let (mut settled, mut learned) = (Vec::new(), HandledFacts::default());
        for party in handled {
            settled.extend(party.settled);
            learned.extend(party.learned);
        }
        settled.iter().for_each(|settled| self.watch.event(settled));
        settled.extend(left.iter().map(|read| put_off(&read.due)));
        claim.settle(&settled, &learned, at).await?;
        self.inbox.wake_missed(&settled, &learned.accounts, at).await?;
        if !left.is_empty() {
            self.inbox.wake_lane(HandlingContext::Asking);
        }
        Ok(if interrupted { InboxProgress::Interrupted } else { InboxProgress::Handled(settled.len()) })
    }

    /// Which account an event belongs to depends on the events before it, so that is found first, for all of them.
    /// Then their commands are sent, without waiting for one to be stored before the next is decided.
    async fn handle_party(
        &self,
        events: Vec<Translated>,
        known: &AccountLookup,
        lane: HandlingContext,
        deadline: Instant,
    ) -> Handled {
        let instructions = || events.iter().filter_map(Translated::instructions);
        let mut known = known.part_for(events.iter().filter_map(Translated::owner_and_subject));
        known.expect(instructions());
        let plans: Vec<RoutedEvent> = events.into_iter().map(|event| plan(event, &mut known)).collect();
        let mut outcomes = stream::iter(plans)
            .map(|plan| async move {
                if Instant::now() > deadline { EventOutcome::Left } else { self.carry_out(plan, lane).await }
            })
            .buffered(EVENTS_CONCURRENT_MAX);
        let mut handled = Handled::default();
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                EventOutcome::Settled(settled, learned) => {
                    handled.settled.push(settled);
                    handled.learned.extend(learned);
                }
                EventOutcome::Left => break,
                EventOutcome::Interrupted => {
                    handled.interrupted = true;
                    break;
                }
            }
        }
        handled
    }

    async fn carry_out(&self, plan: RoutedEvent, lane: HandlingContext) -> EventOutcome {
        let mut learned = HandledFacts { coupons: plan.coupons, ..HandledFacts::default() };
        let fate = match plan.todo {
            Err(fate) => fate,
            Ok(told) => match self.execute_all(&plan.due, &told, &mut learned).await {
                Ok(()) => Disposition::Done(told.account, plan.note),
                Err(ProcessingError::Fate(fate)) => fate,
                Err(ProcessingError::Transient) => return EventOutcome::Interrupted,
            },
        };
        EventOutcome::Settled(fate.settle(&plan.due, lane, self.retries, self.ledger.clock().now()), learned)
    }

    async fn execute_all(
        &self,
        due: &ClaimedEvent,
        told: &RoutedReport,
        learned: &mut HandledFacts,
    ) -> Result<(), ProcessingError> {
        let RoutedReport { account, steps, elsewhere, report } = told;
        for step in steps {
            self.execute(due, account, step).await?;
            if let Command::Customer(CustomerCommand::LinkCustomer { customer, .. }) = &step.command {
                learned.accounts.links.push((customer.clone(), account.clone()));
            }
            if let Command::Subscription(SubscriptionCommand::RecordSubscription(report)) = &step.command {
                // If it cannot be checked now, it is checked after the next report.
                let calls = Calls::new(self.inbox.pool().clone());
                let looked =
                    duplicate_subscriptions::look(&self.ledger, &calls, account, &report.terms.subscription)
                        .await;
                if let Err(error) = looked {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "two subscriptions are not looked for"
                    );
                }
            }
            let payment = bought_by(&step.command);
            learned.accounts.payments.extend(payment.map(|payment| (payment.clone(), account.clone())));
        }
        for (account, step) in elsewhere {
            self.execute(due, account, step).await?;
        }
        learned.accounts.reports.extend(report.clone());
        Ok(())
    }

    async fn execute(
        &self,
        due: &ClaimedEvent,
        account: &AccountId,
        step: &TranslationStep,
    ) -> Result<(), ProcessingError> {
        let key = IdempotencyKey::stripe(&step.key);
        let request = Request::new(account.clone(), step.command.clone(), key, provenance(due));
        match self.ledger.execute(request).await {
            // If the key is taken, another event has reported the same fact.
            Ok(_) | Err(ExecuteError::KeyReused) => Ok(()),
            Err(ExecuteError::Refused(refusal)) => {
                Err(ProcessingError::Fate(Disposition::Dead(format!("refused: {}", name(&refusal)))))
            }
            Err(ExecuteError::Damaged) => {
                Err(ProcessingError::Fate(Disposition::Later("the account's history is damaged".to_owned())))
            }
            Err(
                ExecuteError::Overloaded
                | ExecuteError::Unavailable
                | ExecuteError::ClockBehind { .. }
                | ExecuteError::OutcomeUnknown,
            ) => Err(ProcessingError::Transient),
        }
    }
}

/// Something has to be fetched from Stripe first.
fn put_off(due: &ClaimedEvent) -> EventResult {
    EventResult {
        event_id: due.event_id.clone(),
        state: InboxState::Received,
        reason: None,
        attempts: due.attempts,
        next_attempt_at: None,
        account: None,
        lane: HandlingContext::Asking,
    }
}

enum EventOutcome {
    Settled(EventResult, HandledFacts),
    /// There was no time left for it.
    Left,
    /// The ledger does not accept commands now, which is not the event's fault.
    Interrupted,
}

/// The results of one customer's events.
#[derive(Default)]
struct Handled {
    settled: Vec<EventResult>,
    learned: HandledFacts,
    interrupted: bool,
}

enum ProcessingError {
    /// It will pass without anybody acting.
    Transient,
    Fate(Disposition),
}

/// Who caused the event: the caller of the API, if the program requested it; else somebody at Stripe, or Stripe itself.
fn provenance(due: &ClaimedEvent) -> Provenance {
    let stripe = || Actor::parse("stripe").expect("the word is a valid name");
    Provenance {
        actor: due.asker.clone().unwrap_or_else(stripe),
        origin: Origin::Stripe,
        correlation_id: None,
        causation_id: Some(due.event_id.clone()),
        stripe_event: Some(due.event_id.clone()),
    }
}

/// The refusal's name as in JSON, without its fields.
fn name(refusal: &Refusal) -> String {
    match serde_json::to_value(refusal) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
        Ok(_) | Err(_) => String::new(),
    }
}
