//! Is the ledger what Stripe says? What Stripe lists is compared with it, and what never came is made up for.
//!
//! First objects are read, then events: so what the events tell is at least as new as the objects, and what happens
//! meanwhile looks like no drift. Events that never came are put into the inbox, and handled as if they had been
//! delivered. What no event tells is found by the objects themselves: each is translated as the event would be that
//! tells of it as it is now, and the account is asked whether it knows that ([`difference`]).
//!
//! Nothing here changes anything at Stripe, and an account is only changed by the inbox, under the keys that a late
//! event would have as well: whichever comes first counts, and the other one changes nothing.

mod bought;
mod difference;
mod judgement;
mod nightly;
mod report;
mod subject;
mod untold;

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

pub use nightly::Nightly;
pub use report::{Cause, Drift, Kept, MissingEvent, Report};
pub use subject::Subject;

use super::{
    Deployment,
    client::{CallError, Client, Listing, TYPES_MAX},
    document::Document,
    envelope::Envelope,
    inbox::{Fetched, Inbox},
    processor::{Processor, Progress},
    translate::kinds,
};
use crate::{
    domain::{names::ProviderId, time::Timestamp},
    ledger::{Ledger, ViewError},
};
use judgement::{Judgement, Suspect};

/// How far back objects are compared where nothing else is said.
pub const DAYS_DEFAULT: u16 = 90;
/// For how long Stripe lists events.
const EVENTS_DAYS: i64 = 30;
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
pub struct Order {
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
        order: Order,
        progress: impl Fn(&'static str, u64) + Sync,
    ) -> Result<Report, ReconcileError> {
        let begun_at = self.now();
        let mut read = BTreeMap::new();
        let mut suspects = Vec::new();
        let mut listed = Vec::new();
        for subject in Subject::ALL {
            let count =
                self.find_suspects(subject, order.since, &mut suspects, &mut listed, &progress).await?;
            read.insert(subject.as_str(), count);
        }
        let (events, missing_events) = self.missing_events(order, &progress).await?;
        read.insert("event", events);
        if missing_events.iter().any(|event| event.repaired) {
            self.work_off().await?;
        }
        let mut drifts = self.drifts(suspects, &missing_events, order.rebuild_events).await?;
        drifts.extend(self.unlisted(&listed, begun_at).await?);
        Ok(Report { since: order.since, begun_at, ended_at: self.now(), read, missing_events, drifts })
    }

    fn now(&self) -> Timestamp {
        self.ledger.clock().now()
    }

    /// Reads all objects of a kind, and keeps those that the ledger does not know as they are.
    async fn find_suspects(
        &self,
        subject: Subject,
        since: Timestamp,
        suspects: &mut Vec<Suspect>,
        subscriptions: &mut Vec<String>,
        progress: &(impl Fn(&'static str, u64) + Sync),
    ) -> Result<u64, ReconcileError> {
        let listing = subject.listing(since);
        let (mut count, mut after) = (0_u64, None);
        loop {
            let read_at = self.now();
            let page = self.client.page(&listing, after.as_deref()).await?;
            count = count.saturating_add(u64::try_from(page.objects.len()).unwrap_or(u64::MAX));
            progress(subject.as_str(), count);
            if subject == Subject::Subscription {
                let ids = page.objects.iter().filter_map(|object| Document::new(object).text("id"));
                subscriptions.extend(ids.map(str::to_owned));
            }
            let objects = page.objects.into_iter().filter(|object| !ended_before(object, since));
            let read = objects.map(|object| Suspect { subject, object, read_at }).collect();
            for (suspect, judgement) in self.judge_all(read, &[]).await? {
                match judgement {
                    // What is paid for elsewhere may be as much as it likes.
                    Judgement::Unowned if suspects.len() >= SUSPECTS_MAX / 2 => {}
                    _ if suspects.len() < SUSPECTS_MAX => suspects.push(suspect),
                    Judgement::Fine | Judgement::Unowned => {}
                    Judgement::Drift { .. } => return Err(ReconcileError::TooMany),
                }
            }
            let Some(next) = page.next else { return Ok(count) };
            after = Some(next);
        }
    }

    /// The subscriptions that run here and that Stripe does not list, in whatever state. No event can mend that.
    async fn unlisted(&self, listed: &[String], until: Timestamp) -> Result<Vec<Drift>, ReconcileError> {
        let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
        let mut drifts = Vec::new();
        for object in self.inbox.reported_beside(&listed, until).await? {
            let Some((account, ledger_says)) = self.running(&object).await? else { continue };
            drifts.push(Drift {
                subject: Subject::Subscription,
                object,
                account: Some(account),
                stripe_says: "nothing".to_owned(),
                ledger_says,
                event_type: "customer.subscription.deleted",
                cause: Cause::NoEvent,
                repaired: false,
            });
        }
        Ok(drifts)
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

    /// How many events Stripe lists of those that change something, and which of them never came.
    async fn missing_events(
        &self,
        order: Order,
        progress: &(impl Fn(&'static str, u64) + Sync),
    ) -> Result<(u64, Vec<MissingEvent>), ReconcileError> {
        let since = order.since.max(self.now().minus(TimeDelta::days(EVENTS_DAYS)));
        let kinds = kinds::KINDS.iter().filter(|kind| kind.is_subscribed && kind.effect().0);
        let kinds: Vec<&'static str> = kinds.map(|kind| kind.name).collect();
        let (mut count, mut missing) = (0_u64, Vec::new());
        for types in kinds.chunks(TYPES_MAX) {
            let listing = Listing::Events { types: types.to_vec(), since };
            let mut after = None;
            loop {
                let page = self.client.page(&listing, after.as_deref()).await?;
                count = count.saturating_add(u64::try_from(page.objects.len()).unwrap_or(u64::MAX));
                progress("event", count);
                missing.extend(self.never_came(&page.objects, order.fetch_events).await?);
                let Some(next) = page.next else { break };
                after = Some(next);
            }
        }
        Ok((count, missing))
    }

    async fn never_came(&self, listed: &[Value], fetch: bool) -> Result<Vec<MissingEvent>, ReconcileError> {
        let ids: Vec<&str> = listed.iter().filter_map(|event| Document::new(event).text("id")).collect();
        let known = self.inbox.known(&ids).await?;
        let mut missing = Vec::new();
        for document in listed {
            let Ok(event) = Envelope::of(document) else { continue };
            if known.contains(event.id.as_str()) {
                continue;
            }
            if fetch {
                self.put_in(&event, Fetched::Listed, document).await?;
            }
            missing.push(MissingEvent {
                object: event.object().and_then(Document::id_of),
                event: event.id,
                kind: event.kind,
                created_at: event.created,
                repaired: fetch,
            });
        }
        Ok(missing)
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
    ) -> Result<Vec<Drift>, ReconcileError> {
        let mut found: BTreeMap<(Subject, ProviderId), Drift> = BTreeMap::new();
        for _ in 0..ROUNDS_MAX {
            let judged = self.judge_all(suspects, missing).await?;
            found.values_mut().for_each(|drift| drift.repaired = true);
            let mut remedies = Vec::new();
            suspects = Vec::with_capacity(judged.len());
            for (suspect, judgement) in judged {
                if let Judgement::Drift { drift, remedy } = judgement {
                    remedies.extend(remedy);
                    found.insert((drift.subject, drift.object.clone()), *drift);
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
                Progress::Handled(_) => {}
                Progress::Idle | Progress::Interrupted if pauses >= PAUSES_MAX => {
                    return Err(ReconcileError::Busy);
                }
                Progress::Idle | Progress::Interrupted => {
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
