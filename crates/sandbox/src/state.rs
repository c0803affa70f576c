//! What is the state of the sandbox? Its objects, its events, and its settings.

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

/// What happens to a subscription after its last retry has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum AfterRetries {
    Cancel,
    Unpaid,
    PastDue,
    /// It is paused, and resumes automatically when the invoice is paid.
    Pause,
    /// As [`Self::Pause`], but after the first failure of a renewal.
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

/// Something that is due at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueEvent {
    TrialWillEnd(String),
    CollectionResumes(String),
    Ends(String),
    PeriodEnds(String),
    PhaseEnds(String),
    PendingExpires(String),
    /// Pending items of a subscription that has ended are invoiced.
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
    /// The business days until bank debits are decided. `None`: as many as their kind takes.
    pub debit_days: Option<i64>,
    /// Whether a subscription is active while its first debit is processing.
    pub trusts_first_debit: bool,
    /// Whether the charge of a whole period after the anchor moved is a proration, in the flexible mode.
    pub anchor_debits_are_prorations: bool,
    /// Whether a dispute that the network prevented withdraws funds.
    pub prevented_withdraws: bool,
    /// The subscription whose changes emit no events for now. Its last state is emitted afterwards.
    pub quiet: Option<String>,
    /// What was due and failed, and is not tried again.
    pub stuck: Vec<DueEvent>,
    /// The faults of the next calls, in order.
    pub faults: VecDeque<ApiFault>,
    /// The resources that restricted keys may use, by key, as beginnings of paths after `/v1/`.
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

    /// Records an event about `object`.
    pub fn emit(&mut self, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.outbox.note(event);
    }

    /// Records an event that is sent after all others of this call, with a slightly later time.
    pub fn emit_last(&mut self, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.outbox.note_last(event);
    }

    /// Records an event before those that were recorded since `place`.
    pub fn emit_at(&mut self, place: usize, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.outbox.insert(place, event);
    }

    /// Records a change of an object, if it has changed.
    pub fn emit_change(&mut self, kind: &str, before: &Value, after: Value) {
        self.emit_change_at(self.outbox.place(), kind, before, after);
    }

    /// As [`Self::emit_change`], before the events that were recorded since `place`.
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
        // At Stripe, the order of ids says nothing about the order of events.
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

    /// Changes a subscription, and records the change.
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

    /// Changes a customer, and records the change.
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

/// The fields of `before` that differ in `after`, with their old values. Lists are shown as a whole.
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
