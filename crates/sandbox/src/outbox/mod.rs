//! How are events kept and delivered? Each event is kept, and queued for the endpoints that want its type.
//!
//! Deliveries are signed, in order, and sent once, unless faults are requested.

pub mod api_versions;
pub mod queue;
pub mod signature;

use crate::{
    objects::Shown,
    store::{Store, endpoint::Endpoint, event::SandboxEvent, table::ObjectTable},
};
use api_versions::sends;
use queue::Queue;

/// How long after the other events Stripe sends that of an invoice's payment, in seconds. 1 to 21 were observed.
const LAST_S: i64 = 2;

#[derive(Debug)]
pub struct Outbox {
    pub events: ObjectTable<SandboxEvent>,
    pub queue: Queue,
    /// The id and the idempotency key of the request that is being answered.
    pub cause: Option<(String, Option<String>)>,
    /// Whether each event's id is greater than those before it.
    pub event_ids_rise: bool,
    /// The events of the current call, which are published when it ends.
    fresh: Vec<SandboxEvent>,
    /// The events that Stripe sends some seconds after all others.
    last: Vec<SandboxEvent>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            events: ObjectTable::default(),
            queue: Queue::default(),
            cause: None,
            event_ids_rise: true,
            fresh: Vec::new(),
            last: Vec::new(),
        }
    }
}

impl Outbox {
    /// Records an event.
    pub fn note(&mut self, event: SandboxEvent) {
        self.fresh.push(event);
    }

    /// Records an event that is sent after all others of this call, with a slightly later time.
    pub fn note_last(&mut self, mut event: SandboxEvent) {
        event.created = event.created.saturating_add(LAST_S);
        self.last.push(event);
    }

    /// Records an event before those that were recorded since `place`.
    pub fn insert(&mut self, place: usize, event: SandboxEvent) {
        self.fresh.insert(place.min(self.fresh.len()), event);
    }

    /// Moves the last events behind all others.
    pub fn flush(&mut self) {
        self.fresh.append(&mut self.last);
    }

    /// Sorts the events since `place` into Stripe's order. Types that are not in `order` come last.
    pub fn arrange(&mut self, place: usize, order: &[&str]) {
        let rank =
            |event: &SandboxEvent| order.iter().position(|kind| *kind == event.kind).unwrap_or(order.len());
        if let Some(noted) = self.fresh.get_mut(place..) {
            noted.sort_by_key(rank);
        }
    }

    /// The number of events that this call has recorded.
    pub fn place(&self) -> usize {
        self.fresh.len()
    }

    /// Keeps the recorded events, and queues them for the endpoints that want them.
    pub fn publish(&mut self, store: &Store) {
        self.flush();
        for mut event in std::mem::take(&mut self.fresh) {
            let wanted: Vec<Endpoint> =
                store.endpoints.iter().filter(|endpoint| endpoint.wants(&event.kind)).cloned().collect();
            let sent = |endpoint: &Endpoint| {
                endpoint.api_version.as_deref().is_none_or(|version| sends(&event.kind, version))
            };
            let wanted: Vec<Endpoint> = wanted.into_iter().filter(sent).collect();
            event.pending = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
            self.events.put(event.clone());
            for endpoint in wanted {
                let body = body(store, &event, endpoint.api_version.as_deref());
                self.queue.push(&event, &endpoint, body);
            }
        }
    }

    /// Drops the events since `place`, because the call was refused.
    pub fn forget(&mut self, place: usize) {
        self.fresh.truncate(place);
        self.last.clear();
    }
}

/// The body of an event's delivery, in an API version. `None` is the newest.
pub fn body(store: &Store, event: &SandboxEvent, version: Option<&str>) -> String {
    let mut document = event.render(store);
    if let Some(version) = version {
        api_versions::render(store, &mut document, version);
    }
    serde_json::to_string_pretty(&document).unwrap_or_default()
}
