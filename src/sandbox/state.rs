//! What does the sandbox know at a moment? Every object, what has happened, and the time that it is there.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::{
    billing::passing::Happening,
    control::ApiFault,
    failure::Failure,
    idempotency::Kept,
    ids::Ids,
    objects::{
        charge::Charge,
        checkout::Session,
        customer::Customer,
        dispute::Dispute,
        endpoint::Endpoint,
        event::Event,
        invoice::Invoice,
        payment_intent::PaymentIntent,
        payment_method::PaymentMethod,
        portal::{Configuration, PortalSession},
        price::Price,
        product::Product,
        refund::Refund,
        schedule::Schedule,
        setup_intent::SetupIntent,
        subscription::Subscription,
    },
    recorded::Recorded,
    table::{Stored, Table},
    webhooks::{queue::Queue, shapes::sends},
};

/// What becomes of a subscription whose retries have all failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRetries {
    Cancel,
    Unpaid,
    PastDue,
    /// It stands still, the invoice can be paid, and it goes on by itself when that is done.
    Pause,
}

impl AfterRetries {
    pub const ALL: [Self; 4] = [Self::Cancel, Self::Unpaid, Self::PastDue, Self::Pause];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Unpaid => "unpaid",
            Self::PastDue => "past_due",
            Self::Pause => "pause",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|after| after.as_str() == text)
    }
}

#[derive(Debug)]
pub struct State {
    /// Unix seconds on the sandbox's clock.
    pub now: i64,
    /// Where its pages are.
    pub origin: String,
    pub ids: Ids,
    pub customers: Table<Customer>,
    pub payment_methods: Table<PaymentMethod>,
    pub products: Table<Product>,
    pub prices: Table<Price>,
    pub payment_intents: Table<PaymentIntent>,
    pub setup_intents: Table<SetupIntent>,
    pub charges: Table<Charge>,
    pub refunds: Table<Refund>,
    pub disputes: Table<Dispute>,
    pub subscriptions: Table<Subscription>,
    pub schedules: Table<Schedule>,
    pub invoices: Table<Invoice>,
    pub sessions: Table<Session>,
    pub portal_sessions: Table<PortalSession>,
    pub configurations: Table<Configuration>,
    pub endpoints: Table<Endpoint>,
    pub events: Table<Event>,
    /// What was lived elsewhere.
    pub recorded: Recorded,
    /// What has happened in the course of this call, and is told when it ends.
    fresh: Vec<Event>,
    pub queue: Queue,
    pub kept: Kept,
    pub after_retries: AfterRetries,
    /// After how many business days bank debits are decided, in place of what their kind takes.
    pub debit_days: Option<i64>,
    /// Whether a subscription is active as soon as its first debit is on its way.
    pub trusts_first_debit: bool,
    /// Whether a whole period that is asked for because the anchor moved is called a proration, in the flexible mode.
    pub anchor_debits_are_prorations: bool,
    /// The subscription whose changes are told all at once, when what changes it is done.
    pub quiet: Option<String>,
    /// What was due and could not happen.
    pub stuck: Vec<Happening>,
    /// How the next calls go wrong.
    pub faults: VecDeque<ApiFault>,
    /// What restricted keys may ask for, by key, as paths behind `/v1/`.
    pub restricted: BTreeMap<String, Vec<String>>,
    /// The id and the idempotency key of the request that is being answered.
    pub cause: Option<(String, Option<String>)>,
}

impl State {
    pub fn new(origin: String, now: i64) -> Self {
        Self {
            now,
            origin,
            ids: Ids::default(),
            customers: Table::default(),
            payment_methods: Table::default(),
            products: Table::default(),
            prices: Table::default(),
            payment_intents: Table::default(),
            setup_intents: Table::default(),
            charges: Table::default(),
            refunds: Table::default(),
            disputes: Table::default(),
            subscriptions: Table::default(),
            schedules: Table::default(),
            invoices: Table::default(),
            sessions: Table::default(),
            portal_sessions: Table::default(),
            configurations: Table::default(),
            endpoints: Table::default(),
            events: Table::default(),
            recorded: Recorded::default(),
            fresh: Vec::new(),
            queue: Queue::default(),
            kept: Kept::default(),
            after_retries: AfterRetries::Cancel,
            debit_days: None,
            trusts_first_debit: true,
            anchor_debits_are_prorations: true,
            quiet: None,
            stuck: Vec::new(),
            faults: VecDeque::new(),
            restricted: BTreeMap::new(),
            cause: None,
        }
    }

    /// Notes that something has happened to `object`.
    pub fn emit(&mut self, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.fresh.push(event);
    }

    /// Notes that something had happened before what was noted since `place`.
    pub fn emit_at(&mut self, place: usize, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.fresh.insert(place.min(self.fresh.len()), event);
    }

    /// Puts what was noted since `place` into the order in which Stripe tells it; what is not in `order` comes last.
    pub fn arrange(&mut self, place: usize, order: &[&str]) {
        let rank = |event: &Event| order.iter().position(|kind| *kind == event.kind).unwrap_or(order.len());
        if let Some(noted) = self.fresh.get_mut(place..) {
            noted.sort_by_key(rank);
        }
    }

    /// How much was noted in this call.
    pub fn place(&self) -> usize {
        self.fresh.len()
    }

    /// Notes that an object is not what it was, unless it is.
    pub fn emit_change(&mut self, kind: &str, before: &Value, after: Value) {
        let previous = difference(before, &after);
        if !previous.is_empty() {
            let event = self.event(kind, after, Some(Value::Object(previous)));
            self.fresh.push(event);
        }
    }

    /// As [`Self::emit_change`], before what was noted since `place`.
    pub fn emit_change_at(&mut self, place: usize, kind: &str, before: &Value, after: Value) {
        let previous = difference(before, &after);
        if !previous.is_empty() {
            let event = self.event(kind, after, Some(Value::Object(previous)));
            self.fresh.insert(place.min(self.fresh.len()), event);
        }
    }

    fn event(&mut self, kind: &str, object: Value, previous: Option<Value>) -> Event {
        let (request, idempotency_key) = self.cause.clone().map_or((None, None), |(id, key)| (Some(id), key));
        Event {
            id: self.ids.make("evt"),
            created: self.now,
            kind: kind.to_owned(),
            object,
            previous,
            request,
            idempotency_key,
            pending: 0,
            recorded: None,
        }
    }

    /// Keeps what has happened, and lines it up for those who want to know.
    pub fn publish(&mut self) {
        for mut event in std::mem::take(&mut self.fresh) {
            let wanted: Vec<Endpoint> =
                self.endpoints.iter().filter(|endpoint| endpoint.wants(&event.kind)).cloned().collect();
            let sent = |endpoint: &Endpoint| {
                endpoint.api_version.as_deref().is_none_or(|version| sends(&event.kind, version))
            };
            let wanted: Vec<Endpoint> = wanted.into_iter().filter(sent).collect();
            event.pending = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
            self.events.put(event.clone());
            for endpoint in wanted {
                let body = super::webhooks::body(self, &event, endpoint.api_version.as_deref());
                self.queue.push(&event, &endpoint, body);
            }
        }
    }

    /// Forgets what was noted in a call that was refused.
    pub fn forget(&mut self, place: usize) {
        self.fresh.truncate(place);
    }

    /// Changes a subscription, and tells what is different.
    pub fn change_subscription(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Subscription),
    ) -> Result<(), Failure> {
        let before = self.subscriptions.get(id)?.render(self);
        change(self.subscriptions.get_mut(id)?);
        if self.quiet.as_deref() == Some(id) {
            return Ok(());
        }
        let after = self.subscriptions.get(id)?.render(self);
        self.emit_change("customer.subscription.updated", &before, after);
        Ok(())
    }

    /// Changes a customer, and tells what is different.
    pub fn change_customer(&mut self, id: &str, change: impl FnOnce(&mut Customer)) -> Result<(), Failure> {
        let before = self.customers.get(id)?.render(self);
        change(self.customers.get_mut(id)?);
        let after = self.customers.get(id)?.render(self);
        self.emit_change("customer.updated", &before, after);
        Ok(())
    }

    /// A customer that was not deleted.
    pub fn customer(&self, id: &str) -> Result<&Customer, Failure> {
        self.customers
            .find(id)
            .filter(|customer| !customer.deleted)
            .ok_or_else(|| Failure::no_such("customer", id).status(400).param("customer"))
    }

    /// Any object, by the prefix of its id.
    pub fn render_any(&self, id: &str) -> Option<Value> {
        let prefix = id.split('_').next()?;
        let lived = match prefix {
            "cus" => self.customers.find(id).map(|object| object.render(self)),
            "pm" => self.payment_methods.find(id).map(|object| object.render(self)),
            "prod" => self.products.find(id).map(|object| object.render(self)),
            "price" => self.prices.find(id).map(|object| object.render(self)),
            "pi" => self.payment_intents.find(id).map(|object| object.render(self)),
            "seti" => self.setup_intents.find(id).map(|object| object.render(self)),
            "ch" => self.charges.find(id).map(|object| object.render(self)),
            "re" => self.refunds.find(id).map(|object| object.render(self)),
            "du" => self.disputes.find(id).map(|object| object.render(self)),
            "sub" if id.starts_with("sub_sched_") => {
                self.schedules.find(id).map(|object| object.render(self))
            }
            "sub" => self.subscriptions.find(id).map(|object| object.render(self)),
            "in" => self.invoices.find(id).map(|object| object.render(self)),
            "cs" => self.sessions.find(id).map(|object| object.render(self)),
            "bpc" => self.configurations.find(id).map(|object| object.render(self)),
            _ => self.products.find(id).map(|object| object.render(self)),
        };
        lived.or_else(|| self.recorded.find(id).cloned())
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
