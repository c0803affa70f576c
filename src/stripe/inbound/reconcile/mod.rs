//! Does the ledger say the same as Stripe? What Stripe lists is compared with it, and missing events are fetched.
//!
//! Objects are read before events, so that events are at least as new as the objects, and changes during a comparison
//! do not look like drift.
//! Events that never arrived are put into the inbox, and handled as if they had been delivered.
//! What no event reports is found by the objects themselves: each is translated like an event that would report it as
//! it is now, and compared with the account's state ([`difference`]).
//!
//! Nothing is changed at Stripe, and accounts are only changed by the inbox, under the keys that a late event would
//! have: the first one counts, and another one changes nothing.

mod ask;
mod bought;
mod claim;
mod compare;
mod difference;
mod events;
mod found;
mod links;
mod nightly;
mod report;
mod seen_hashes;
mod subject;
mod suspect;
mod totals;
mod unlisted;
mod unsaid;
mod untold;
mod verdict;

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

pub use nightly::Nightly;
pub use report::{Drift, MissingEvent, NotCompared, ReconcileReport, StoredFigures, UntoldCause};
pub use subject::Subject;

use super::{
    inbox::{Fetched, Inbox},
    processor::{InboxProgress, Processor},
};
use crate::{
    domain::{ids::ProviderId, time::Timestamp},
    ledger::{Ledger, ViewError},
    stripe::{
        Deployment,
        client::{CallError, Client},
        documents::{Document, envelope::Envelope},
    },
};
use found::FoundObjects;
use suspect::Suspect;
use verdict::Judgement;

/// How many days back objects are compared if nothing else is said.
pub const DAYS_DEFAULT: u16 = 90;
/// How many objects are compared at the same time.
const JUDGED_CONCURRENT_MAX: usize = 8;
/// How many objects may differ. If there are more, it is another ledger and not drift.
pub const SUSPECTS_MAX: usize = 20_000;
/// How often corrected objects are checked again: a refund can be corrected after its payment was.
const ROUNDS_MAX: usize = 3;
/// How many pauses there are while the ledger does not accept commands, before a comparison fails.
const PAUSES_MAX: u32 = 1_200;
const PAUSE: Duration = Duration::from_millis(25);

/// What is compared, and what is done about differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconcileOptions {
    /// Objects that were made before are not compared, except subscriptions and disputes.
    pub since: Timestamp,
    /// Whether events that never arrived are put into the inbox.
    pub fetch_events: bool,
    /// Whether events are made for what no event reports.
    pub rebuild_events: bool,
}

/// Compares the ledger with Stripe. Cheap to clone.
#[derive(Clone)]
pub struct Reconciler {
    client: Client,
    inbox: Inbox,
    ledger: Ledger,
    deployment: Deployment,
    processor: Processor,
}

/// Why there is no report. What was corrected by then stays corrected.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("Stripe cannot be read")]
    Stripe(#[from] CallError),
    #[error("the database does not answer")]
    Storage(#[from] sqlx::Error),
    #[error("an account cannot be read")]
    View(#[from] ViewError),
    #[error("more than {SUSPECTS_MAX} objects differ: is this the Stripe account of this ledger?")]
    TooMany,
    #[error("Stripe shows objects of the other mode: test and live are two accounts")]
    OtherMode,
    #[error("the ledger does not accept commands now")]
    Busy,
}

impl Reconciler {
    #[must_use]
    pub fn new(client: Client, inbox: Inbox, ledger: Ledger, deployment: Deployment) -> Self {
        let processor = Processor::new(inbox.clone(), ledger.clone(), deployment.clone());
        let processor = processor.asking(Some(client.clone()));
        Self { client, inbox, ledger, deployment, processor }
    }

    /// Compares, corrects what `options` say, and compares that again.
    /// `progress` gets what is read, and how many objects.
    ///
    /// # Errors
    /// If Stripe or the database does not answer.
    pub async fn run(
        &self,
        order: ReconcileOptions,
        progress: impl Fn(&'static str, u64) + Sync,
    ) -> Result<ReconcileReport, ReconcileError> {
        let (begun_at, until) = (self.now(), self.ledger.heads().await?);
        let mut found = FoundObjects::new(begun_at);
        for subject in Subject::ALL {
            self.find_suspects(subject, order.since, &mut found, &progress).await?;
        }
        let (events, missing_events) = self.missing_events(order, &progress).await?;
        found.read.insert("event", events);
        if missing_events.iter().any(|event| event.repaired) {
            self.work_off().await?;
        }
        let asked = self.find_unlisted(order.since, &until, &mut found, &progress).await?;
        found.read.insert("asked", asked);
        self.report(order, found, missing_events).await
    }

    async fn report(
        &self,
        order: ReconcileOptions,
        found: FoundObjects,
        missing_events: Vec<MissingEvent>,
    ) -> Result<ReconcileReport, ReconcileError> {
        let FoundObjects { begun_at, read, suspects, unfounded, mut not_compared, .. } = found;
        let mut drifts =
            self.drifts(suspects, &missing_events, order.rebuild_events, &mut not_compared).await?;
        drifts.extend(unfounded);
        let (since, ended_at) = (order.since, self.now());
        Ok(ReconcileReport { since, begun_at, ended_at, read, missing_events, drifts, not_compared })
    }

    fn now(&self) -> Timestamp {
        self.ledger.clock().now()
    }

    /// Reads all objects of a kind, and keeps those that differ from the ledger.
    async fn find_suspects(
        &self,
        subject: Subject,
        since: Timestamp,
        found: &mut FoundObjects,
        progress: &(impl Fn(&'static str, u64) + Sync),
    ) -> Result<(), ReconcileError> {
        found.count(subject.as_str(), 0);
        for listing in subject.listings(since) {
            let mut after = None;
            loop {
                let read_at = self.now();
                let page = self.client.page(&listing, after.as_deref()).await?;
                progress(subject.as_str(), found.count(subject.as_str(), page.objects.len()));
                for object in &page.objects {
                    self.check_mode(object)?;
                    found.seen.note(subject, Document::new(object));
                }
                let objects = page.objects.into_iter().filter(|object| !ended_before(object, since));
                let read = objects.map(|object| Suspect { subject, object, read_at }).collect();
                self.keep_suspects(read, found).await?;
                let Some(next) = page.next else { break };
                after = Some(next);
            }
        }
        Ok(())
    }

    async fn keep_suspects(
        &self,
        read: Vec<Suspect>,
        found: &mut FoundObjects,
    ) -> Result<(), ReconcileError> {
        for (suspect, judgement) in self.judge_all(read, &[]).await? {
            found.suspect(suspect, &judgement)?;
        }
        Ok(())
    }

    /// Everything at Stripe must be in the key's mode.
    fn check_mode(&self, object: &Value) -> Result<(), ReconcileError> {
        let live = object.get("livemode").and_then(Value::as_bool);
        match live {
            Some(live) if live != self.deployment.mode.is_live() => Err(ReconcileError::OtherMode),
            Some(_) | None => Ok(()),
        }
    }

    /// Those that differ.
    async fn judge_all(
        &self,
        suspects: Vec<Suspect>,
        missing: &[MissingEvent],
    ) -> Result<Vec<(Suspect, Judgement)>, ReconcileError> {
        let judged = stream::iter(suspects).map(|mut suspect| async move {
            let judgement = self.judge(&mut suspect, missing).await?;
            Ok::<_, ReconcileError>((suspect, judgement))
        });
        let judged: Vec<_> = judged.buffered(JUDGED_CONCURRENT_MAX).try_collect().await?;
        Ok(judged.into_iter().filter(|(_, judgement)| !matches!(judgement, Judgement::Fine)).collect())
    }

    async fn put_in(&self, event: &Envelope, fetched: Fetched, body: &Value) -> Result<bool, sqlx::Error> {
        self.inbox.take(event, fetched, body.to_string().as_bytes(), self.now()).await
    }

    /// Compares the suspects again after the events were handled, and makes events for what no event reports.
    async fn drifts(
        &self,
        mut suspects: Vec<Suspect>,
        missing: &[MissingEvent],
        rebuild: bool,
        not_compared: &mut Vec<NotCompared>,
    ) -> Result<Vec<Drift>, ReconcileError> {
        let left_out = not_compared.len();
        let mut found: BTreeMap<(Subject, ProviderId), Drift> = BTreeMap::new();
        for _ in 0..ROUNDS_MAX {
            let judged = self.judge_all(suspects, missing).await?;
            found.values_mut().for_each(|drift| drift.repaired = true);
            let mut remedies = Vec::new();
            suspects = Vec::with_capacity(judged.len());
            not_compared.truncate(left_out);
            for (suspect, judgement) in judged {
                match judgement {
                    Judgement::Drift { drift, remedy } => {
                        remedies.extend(remedy);
                        found.insert((drift.subject, drift.object.clone()), *drift);
                    }
                    Judgement::NotCompared(left_out) => not_compared.push(left_out),
                    Judgement::Fine | Judgement::Unowned => {}
                }
                suspects.push(suspect);
            }
            if !rebuild || !self.rebuild(&remedies).await? {
                break;
            }
            self.work_off().await?;
        }
        Ok(found.into_values().collect())
    }

    /// Puts events into the inbox. Returns whether any was new.
    async fn rebuild(&self, remedies: &[Value]) -> Result<bool, ReconcileError> {
        let mut any = false;
        for remedy in remedies {
            if let Ok(event) = Envelope::of(remedy) {
                any |= self.put_in(&event, Fetched::Rebuilt, remedy).await?;
            }
        }
        Ok(any)
    }

    /// Waits until all events in the inbox are handled, by this process or another one.
    async fn work_off(&self) -> Result<(), ReconcileError> {
        let (begun_at, mut pauses) = (self.now(), 0);
        loop {
            let progress = self.processor.work().await?;
            if self.inbox.is_worked_off(begun_at).await? && !self.inbox.wake_known(self.now()).await? {
                return Ok(());
            }
            match progress {
                InboxProgress::Handled(_) => {}
                InboxProgress::Idle | InboxProgress::Interrupted if pauses >= PAUSES_MAX => {
                    return Err(ReconcileError::Busy);
                }
                InboxProgress::Idle | InboxProgress::Interrupted => {
                    pauses = pauses.saturating_add(1);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn ended_before(object: &Value, since: Timestamp) -> bool {
    Document::new(object).time("ended_at").is_some_and(|ended_at| ended_at < since)
}
