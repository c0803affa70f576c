//! Does the ledger say what Stripe says? What Stripe lists is compared with it, and what never came is made up for.
//!
//! First objects are read, then events: so what the events tell is at least as new as the objects, and what happens
//! meanwhile looks like no drift. Events that never came are put into the inbox, and handled as if they had been
//! delivered. What no event tells is found by the objects themselves: each is translated as the event would be that
//! tells of it as it is now, and the account is asked whether it knows that ([`difference`]).
//!
//! Nothing here changes anything at Stripe, and an account is only changed by the inbox, under the keys that a late
//! event would have as well: whichever comes first counts, and the other one changes nothing.

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

/// How far back objects are compared where nothing else is said.
pub const DAYS_DEFAULT: u16 = 90;
/// How many objects are judged at the same time.
const JUDGED_CONCURRENT_MAX: usize = 8;
/// How many objects may differ. More than that is no drift but another ledger.
pub const SUSPECTS_MAX: usize = 20_000;
/// How often what was mended is looked at again: a refund can be mended when its payment has been.
const ROUNDS_MAX: usize = 3;
/// How long the ledger may take nothing before a comparison gives up.
const PAUSES_MAX: u32 = 1_200;
const PAUSE: Duration = Duration::from_millis(25);

/// What is compared, and what is done about what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconcileOptions {
    /// What was made before is not compared, except for subscriptions and disputes.
    pub since: Timestamp,
    /// Whether events that never came are put into the inbox.
    pub fetch_events: bool,
    /// Whether what no event tells is told by one that is made of the object.
    pub rebuild_events: bool,
}

/// Compares. Cheap to clone.
#[derive(Clone)]
pub struct Reconciler {
    client: Client,
    inbox: Inbox,
    ledger: Ledger,
    deployment: Deployment,
    processor: Processor,
}

/// Why there is no report. What was mended by then stays so.
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
    #[error("the ledger takes nothing now")]
    Busy,
}

impl Reconciler {
    #[must_use]
    pub fn new(client: Client, inbox: Inbox, ledger: Ledger, deployment: Deployment) -> Self {
        let processor = Processor::new(inbox.clone(), ledger.clone(), deployment.clone());
        let processor = processor.asking(Some(client.clone()));
        Self { client, inbox, ledger, deployment, processor }
    }

    /// Compares, mends what it is told to, and compares that again. `progress` is told what is read, and how many
    /// objects of it.
    ///
    /// # Errors
    /// When Stripe or the database does not answer.
    pub async fn run(
        &self,
        order: ReconcileOptions,
        progress: impl Fn(&'static str, u64) + Sync,
    ) -> Result<ReconcileReport, ReconcileError> {
        let (begun_at, until) = (self.now(), self.ledger.head().await?.position);
        let mut found = FoundObjects::new(begun_at);
        for subject in Subject::ALL {
            self.find_suspects(subject, order.since, &mut found, &progress).await?;
        }
        let (events, missing_events) = self.missing_events(order, &progress).await?;
        found.read.insert("event", events);
        if missing_events.iter().any(|event| event.repaired) {
            self.work_off().await?;
        }
        let asked = self.find_unlisted(order.since, until, &mut found, &progress).await?;
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

    /// Reads all objects of a kind, and keeps those that the ledger does not know as they are.
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

    /// Everything is of one mode, as the key is.
    fn check_mode(&self, object: &Value) -> Result<(), ReconcileError> {
        let live = object.get("livemode").and_then(Value::as_bool);
        match live {
            Some(live) if live != self.deployment.mode.is_live() => Err(ReconcileError::OtherMode),
            Some(_) | None => Ok(()),
        }
    }

    /// Those that are not fine.
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

    /// Judges the suspects again, now that the events are there, and mends what they do not tell.
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

    /// Whether there was anything that had not been told before.
    async fn rebuild(&self, remedies: &[Value]) -> Result<bool, ReconcileError> {
        let mut any = false;
        for remedy in remedies {
            if let Ok(event) = Envelope::of(remedy) {
                any |= self.put_in(&event, Fetched::Rebuilt, remedy).await?;
            }
        }
        Ok(any)
    }

    /// Has everything handled that is here by now, by this process or by whoever else is at it.
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
