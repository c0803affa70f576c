//! What is the sandbox at a moment? What it keeps, what has happened, and how it is set to behave.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr};

use super::{
    failure::{ApiFault, SandboxFailure},
    idempotency::StoredAnswer,
    ids::letters,
    objects::Shown,
    outbox::Outbox,
    store::{Store, customer::Customer, event::SandboxEvent, subscription::SandboxSubscription},
};

/// What becomes of a subscription whose retries have all failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum AfterRetries {
    Cancel,
    Unpaid,
    PastDue,
    /// It stands still, the invoice can be paid, and it goes on by itself when that is done.
    Pause,
    /// As [`Self::Pause`], as soon as a renewal has failed once.
    PauseAtOnce,
}

impl AfterRetries {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueEvent {
    TrialWillEnd(String),
    CollectionResumes(String),
    Ends(String),
    PeriodEnds(String),
    PhaseEnds(String),
    PendingExpires(String),
    /// What waited for the next invoice of a subscription that has ended.
    PendingIsAsked(String),
    IncompleteExpires(String),
    Finalizes(String),
    Retries(String),
    SessionExpires(String),
    DebitSettles(String),
    RefundFails(String),
}

#[derive(Debug)]
pub struct SandboxState {
    pub store: Store,
    pub outbox: Outbox,
    pub kept: StoredAnswer,
    pub after_retries: AfterRetries,
    /// After how many business days bank debits are decided, in place of what their kind takes.
    pub debit_days: Option<i64>,
    /// Whether a subscription is active as soon as its first debit is on its way.
    pub trusts_first_debit: bool,
    /// Whether a whole period that is asked for because the anchor moved is called a proration, in the flexible mode.
    pub anchor_debits_are_prorations: bool,
    /// Whether a dispute that the network prevented takes the money at once.
    pub prevented_withdraws: bool,
    /// The subscription whose changes are told all at once, when what changes it is done.
    pub quiet: Option<String>,
    /// What was due and could not happen.
    pub stuck: Vec<DueEvent>,
    /// How the next calls go wrong.
    pub faults: VecDeque<ApiFault>,
    /// What restricted keys may ask for, by key, as paths behind `/v1/`.
    pub restricted: BTreeMap<String, Vec<String>>,
}

impl SandboxState {
    pub fn new(origin: String, now: i64) -> Self {
        Self {
            store: Store { now, origin, ..Store::default() },
            outbox: Outbox::default(),
            kept: StoredAnswer::default(),
            after_retries: AfterRetries::Cancel,
            debit_days: None,
            trusts_first_debit: true,
            anchor_debits_are_prorations: true,
            prevented_withdraws: true,
            quiet: None,
            stuck: Vec::new(),
            faults: VecDeque::new(),
            restricted: BTreeMap::new(),
        }
    }

    /// Notes that something has happened to `object`.
    pub fn emit(&mut self, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.outbox.note(event);
    }

    /// Notes what is told after everything else that happens now, and dated a little later.
    pub fn emit_last(&mut self, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.outbox.note_last(event);
    }

    /// Notes that something had happened before what was noted since `place`.
    pub fn emit_at(&mut self, place: usize, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.outbox.insert(place, event);
    }

    /// Notes that an object is not what it was, unless it is.
    pub fn emit_change(&mut self, kind: &str, before: &Value, after: Value) {
        self.emit_change_at(self.outbox.place(), kind, before, after);
    }

    /// As [`Self::emit_change`], before what was noted since `place`.
    pub fn emit_change_at(&mut self, place: usize, kind: &str, before: &Value, after: Value) {
        let previous = difference(before, &after);
        if !previous.is_empty() {
            let event = self.event(kind, after, Some(Value::Object(previous)));
            self.outbox.insert(place, event);
        }
    }

    fn event(&mut self, kind: &str, object: Value, previous: Option<Value>) -> SandboxEvent {
        let (request, idempotency_key) =
            self.outbox.cause.clone().map_or((None, None), |(id, key)| (Some(id), key));
        // At Stripe, an id says nothing of its time.
        let id = if self.outbox.event_ids_rise {
            self.store.ids.make("evt")
        } else {
            format!("evt_{}", letters(24))
        };
        SandboxEvent {
            id,
            created: self.store.now,
            kind: kind.to_owned(),
            object,
            previous,
            request,
            idempotency_key,
            pending: 0,
            recorded: None,
        }
    }

    /// Changes a subscription, and tells what is different.
    pub fn change_subscription(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut SandboxSubscription),
    ) -> Result<(), SandboxFailure> {
        let before = self.store.subscriptions.get(id)?.render(&self.store);
        change(self.store.subscriptions.get_mut(id)?);
        if self.quiet.as_deref() == Some(id) {
            return Ok(());
        }
        let after = self.store.subscriptions.get(id)?.render(&self.store);
        self.emit_change("customer.subscription.updated", &before, after);
        Ok(())
    }

    /// Changes a customer, and tells what is different.
    pub fn change_customer(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Customer),
    ) -> Result<(), SandboxFailure> {
        let before = self.store.customers.get(id)?.render(&self.store);
        change(self.store.customers.get_mut(id)?);
        let after = self.store.customers.get(id)?.render(&self.store);
        self.emit_change("customer.updated", &before, after);
        Ok(())
    }
}

/// The fields of `before` that are another in `after`, with the values that they had. Lists are shown whole.
fn difference(before: &Value, after: &Value) -> Map<String, Value> {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return Map::new() };
    let mut previous = Map::new();
    for (name, now) in after {
        let was = before.get(name).unwrap_or(&Value::Null);
        if was == now {
            continue;
        }
        let shown = if was.is_object() && now.is_object() {
            Value::Object(difference(was, now))
        } else {
            was.clone()
        };
        previous.insert(name.clone(), shown);
    }
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    previous.extend(gone.map(|(name, was)| (name.clone(), was.clone())));
    previous
}
