//! How are events kept and delivered? What has happened is kept as events, and lined up for those who want to know.
//!
//! Deliveries are signed, in order and once, unless somebody asks for worse.

pub mod api_versions;
pub mod queue;
pub mod signature;

use crate::{
    objects::Shown,
    store::{Store, endpoint::Endpoint, event::SandboxEvent, table::ObjectTable},
};
use api_versions::sends;
use queue::Queue;

/// How long after the rest Stripe tells of the payment of an invoice, in seconds: 1 to 21 were seen.
const LAST_S: i64 = 2;

#[derive(Debug)]
pub struct Outbox {
    pub events: ObjectTable<SandboxEvent>,
    pub queue: Queue,
    /// The id and the idempotency key of the request that is being answered.
    pub cause: Option<(String, Option<String>)>,
    /// Whether a later event has a greater id.
    pub event_ids_rise: bool,
    /// What has happened in the course of this call, and is told when it ends.
    fresh: Vec<SandboxEvent>,
    /// What Stripe tells some seconds after everything else.
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
    /// Notes what has happened.
    pub fn note(&mut self, event: SandboxEvent) {
        self.fresh.push(event);
    }

    /// Notes what is told after everything else that happens now, and dated a little later.
    pub fn note_last(&mut self, mut event: SandboxEvent) {
        event.created = event.created.saturating_add(LAST_S);
        self.last.push(event);
    }

    /// Notes what had happened before what was noted since `place`.
    pub fn insert(&mut self, place: usize, event: SandboxEvent) {
        self.fresh.insert(place.min(self.fresh.len()), event);
    }

    /// What came last has come.
    pub fn flush(&mut self) {
        self.fresh.append(&mut self.last);
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

    /// Keeps what has happened, and lines it up for those who want to know.
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

    /// Forgets what was noted in a call that was refused.
    pub fn forget(&mut self, place: usize) {
        self.fresh.truncate(place);
        self.last.clear();
    }
}

/// The bytes of an event, as an endpoint of this version gets them.
pub fn body(store: &Store, event: &SandboxEvent, version: Option<&str>) -> String {
    let mut document = event.render(store);
    if let Some(version) = version {
        api_versions::render(store, &mut document, version);
    }
    serde_json::to_string_pretty(&document).unwrap_or_default()
}
