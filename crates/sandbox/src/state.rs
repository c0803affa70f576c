//! What does the sandbox know at a moment? Every object, what has happened, and the time that it is there.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::{
    failure::{ApiFault, SandboxFailure},
    idempotency::StoredAnswer,
    ids::IdMaker,
    objects::{
        charge::SandboxCharge,
        checkout::SandboxCheckout,
        coupon::{AppliedCoupon, Coupon, PromotionCode},
        credit_note::SandboxCreditNote,
        customer::Customer,
        dispute::SandboxDispute,
        endpoint::Endpoint,
        event::SandboxEvent,
        invoice::Invoice,
        payment_intent::PaymentIntent,
        payment_link::PaymentLink,
        payment_method::PaymentMethod,
        portal::{Configuration, PortalSession},
        price::SandboxPrice,
        product::SandboxProduct,
        refund::SandboxRefund,
        schedule::SubscriptionSchedule,
        setup_intent::SetupIntent,
        subscription::SandboxSubscription,
    },
    recorded::RecordedRequest,
    table::{ObjectTable, Stored},
    webhooks::{queue::Queue, shapes::sends},
};

/// How long after the rest Stripe tells of the payment of an invoice, in seconds: 1 to 21 were seen.
const LAST_S: i64 = 2;

/// What becomes of a subscription whose retries have all failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub const ALL: [Self; 5] = [Self::Cancel, Self::Unpaid, Self::PastDue, Self::Pause, Self::PauseAtOnce];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Unpaid => "unpaid",
            Self::PastDue => "past_due",
            Self::Pause => "pause",
            Self::PauseAtOnce => "pause_at_once",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|after| after.as_str() == text)
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
    /// Unix seconds on the sandbox's clock.
    pub now: i64,
    /// Where its pages are.
    pub origin: String,
    pub ids: IdMaker,
    pub customers: ObjectTable<Customer>,
    pub payment_methods: ObjectTable<PaymentMethod>,
    pub products: ObjectTable<SandboxProduct>,
    pub prices: ObjectTable<SandboxPrice>,
    pub payment_intents: ObjectTable<PaymentIntent>,
    pub setup_intents: ObjectTable<SetupIntent>,
    pub charges: ObjectTable<SandboxCharge>,
    pub refunds: ObjectTable<SandboxRefund>,
    pub disputes: ObjectTable<SandboxDispute>,
    pub subscriptions: ObjectTable<SandboxSubscription>,
    pub schedules: ObjectTable<SubscriptionSchedule>,
    pub invoices: ObjectTable<Invoice>,
    pub credit_notes: ObjectTable<SandboxCreditNote>,
    pub coupons: ObjectTable<Coupon>,
    pub promotion_codes: ObjectTable<PromotionCode>,
    pub discounts: ObjectTable<AppliedCoupon>,
    pub sessions: ObjectTable<SandboxCheckout>,
    pub links: ObjectTable<PaymentLink>,
    pub portal_sessions: ObjectTable<PortalSession>,
    pub configurations: ObjectTable<Configuration>,
    pub endpoints: ObjectTable<Endpoint>,
    pub events: ObjectTable<SandboxEvent>,
    /// What was lived elsewhere.
    pub recorded: RecordedRequest,
    /// What has happened in the course of this call, and is told when it ends.
    fresh: Vec<SandboxEvent>,
    /// What Stripe tells some seconds after everything else.
    last: Vec<SandboxEvent>,
    /// Whether a later event has a greater id.
    pub event_ids_rise: bool,
    /// Whether a dispute that the network prevented takes the money at once.
    pub prevented_withdraws: bool,
    pub queue: Queue,
    pub kept: StoredAnswer,
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
    pub stuck: Vec<DueEvent>,
    /// How the next calls go wrong.
    pub faults: VecDeque<ApiFault>,
    /// What restricted keys may ask for, by key, as paths behind `/v1/`.
    pub restricted: BTreeMap<String, Vec<String>>,
    /// The id and the idempotency key of the request that is being answered.
    pub cause: Option<(String, Option<String>)>,
}

impl SandboxState {
    pub fn new(origin: String, now: i64) -> Self {
        Self {
            now,
            origin,
            ids: IdMaker::default(),
            customers: ObjectTable::default(),
            payment_methods: ObjectTable::default(),
            products: ObjectTable::default(),
            prices: ObjectTable::default(),
            payment_intents: ObjectTable::default(),
            setup_intents: ObjectTable::default(),
            charges: ObjectTable::default(),
            refunds: ObjectTable::default(),
            disputes: ObjectTable::default(),
            subscriptions: ObjectTable::default(),
            schedules: ObjectTable::default(),
            invoices: ObjectTable::default(),
            credit_notes: ObjectTable::default(),
            coupons: ObjectTable::default(),
            promotion_codes: ObjectTable::default(),
            discounts: ObjectTable::default(),
            sessions: ObjectTable::default(),
            links: ObjectTable::default(),
            portal_sessions: ObjectTable::default(),
            configurations: ObjectTable::default(),
            endpoints: ObjectTable::default(),
            events: ObjectTable::default(),
            recorded: RecordedRequest::default(),
            fresh: Vec::new(),
            last: Vec::new(),
            event_ids_rise: true,
            prevented_withdraws: true,
            queue: Queue::default(),
            kept: StoredAnswer::default(),
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

    /// Notes what is told after everything else that happens now, and dated a little later.
    pub fn emit_last(&mut self, kind: &str, object: Value) {
        let mut event = self.event(kind, object, None);
        event.created = event.created.saturating_add(LAST_S);
        self.last.push(event);
    }

    /// What came last has come.
    pub fn flush(&mut self) {
        self.fresh.append(&mut self.last);
    }

    /// Notes that something had happened before what was noted since `place`.
    pub fn emit_at(&mut self, place: usize, kind: &str, object: Value) {
        let event = self.event(kind, object, None);
        self.fresh.insert(place.min(self.fresh.len()), event);
    }

    /// Puts what was noted since `place` into the order in which Stripe tells it; what is not in `order` comes last.
    pub fn arrange(&mut self, place: usize, order: &[&str]) {
        let rank =
            |event: &SandboxEvent| order.iter().position(|kind| *kind == event.kind).unwrap_or(order.len());
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

    fn event(&mut self, kind: &str, object: Value, previous: Option<Value>) -> SandboxEvent {
        let (request, idempotency_key) = self.cause.clone().map_or((None, None), |(id, key)| (Some(id), key));
        // At Stripe, an id says nothing of its time.
        let id = if self.event_ids_rise {
            self.ids.make("evt")
        } else {
            format!("evt_{}", super::ids::letters(24))
        };
        SandboxEvent {
            id,
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
        self.flush();
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
        self.last.clear();
    }

    /// Changes a subscription, and tells what is different.
    pub fn change_subscription(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut SandboxSubscription),
    ) -> Result<(), SandboxFailure> {
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
    pub fn change_customer(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Customer),
    ) -> Result<(), SandboxFailure> {
        let before = self.customers.get(id)?.render(self);
        change(self.customers.get_mut(id)?);
        let after = self.customers.get(id)?.render(self);
        self.emit_change("customer.updated", &before, after);
        Ok(())
    }

    /// A customer that was not deleted.
    pub fn customer(&self, id: &str) -> Result<&Customer, SandboxFailure> {
        self.customers
            .find(id)
            .filter(|customer| !customer.deleted)
            .ok_or_else(|| SandboxFailure::no_such("customer", id).status(400).param("customer"))
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
            "cn" => self.credit_notes.find(id).map(|object| object.render(self)),
            "di" => self.discounts.find(id).map(|object| object.render(self)),
            "promo" => self.promotion_codes.find(id).map(|object| object.render(self)),
            "cs" => self.sessions.find(id).map(|object| object.render(self)),
            "bpc" => self.configurations.find(id).map(|object| object.render(self)),
            // Both may have ids of their maker's.
            _ => {
                let product = self.products.find(id).map(|object| object.render(self));
                product.or_else(|| self.coupons.find(id).map(|object| object.render(self)))
            }
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
