//! What is delivered, when, and with which outcome?

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    ids,
    store::{endpoint::Endpoint, event::SandboxEvent},
};

/// How long after each failed attempt a delivery is tried again.
pub const RETRIES: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
];
/// The number of deliveries that are kept for the page.
const REMEMBERED_MAX: usize = 5_000;

/// Requested faults of deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The percentage of deliveries that are never sent.
    pub drop_percent: u64,
    /// The number of additional copies of each delivery.
    pub duplicates: u64,
    pub delay_ms: u64,
    /// The longest random delay in milliseconds, which changes the order.
    pub reorder_ms: u64,
    /// The percentage of deliveries whose bytes differ from the signed ones.
    pub corrupt_percent: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    Waiting,
    Delivered(u16),
    /// Why the last attempt failed. Another will follow.
    Retrying(String),
    GivenUp(String),
    Dropped,
}

#[derive(Clone, Debug)]
pub struct QueuedDelivery {
    pub id: u64,
    pub event: String,
    pub kind: String,
    pub url: String,
    pub body: String,
    pub secrets: Vec<String>,
    pub corrupt: bool,
    pub due: Instant,
    pub attempts: usize,
    pub fate: DeliveryOutcome,
}

impl QueuedDelivery {
    pub fn render(&self) -> Value {
        let (state, detail) = match &self.fate {
            DeliveryOutcome::Waiting => ("waiting", String::new()),
            DeliveryOutcome::Delivered(status) => ("delivered", status.to_string()),
            DeliveryOutcome::Retrying(why) => ("retrying", why.clone()),
            DeliveryOutcome::GivenUp(why) => ("given_up", why.clone()),
            DeliveryOutcome::Dropped => ("dropped", String::new()),
        };
        json!({
            "id": self.id,
            "event": self.event,
            "type": self.kind,
            "url": self.url,
            "attempts": self.attempts,
            "state": state,
            "detail": detail,
        })
    }
}

/// How an event is sent again.
#[derive(Clone, Debug, Default)]
pub struct Resend {
    pub copies: u64,
    pub delay_ms: u64,
    pub corrupt: bool,
    /// The secrets to sign with. Empty: the endpoint's.
    pub secrets: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Queue {
    rows: Vec<QueuedDelivery>,
    made: u64,
    pub faults: Faults,
}

impl Queue {
    /// Queues an event for an endpoint, with the requested faults.
    pub fn push(&mut self, event: &SandboxEvent, endpoint: &Endpoint, body: String) {
        let faults = self.faults.clone();
        for _ in 0..=faults.duplicates {
            let delay = faults.delay_ms.saturating_add(chance(faults.reorder_ms));
            let corrupt = chance(100) < faults.corrupt_percent;
            let dropped = chance(100) < faults.drop_percent;
            let fate = if dropped { DeliveryOutcome::Dropped } else { DeliveryOutcome::Waiting };
            self.add(event, endpoint, body.clone(), (delay, corrupt, fate), vec![endpoint.secret.clone()]);
        }
    }

    /// Queues an event again, whatever its earlier outcome.
    pub fn resend(&mut self, event: &SandboxEvent, endpoint: &Endpoint, body: &str, resend: &Resend) {
        let secrets =
            if resend.secrets.is_empty() { vec![endpoint.secret.clone()] } else { resend.secrets.clone() };
        for _ in 0..resend.copies.max(1) {
            let how = (resend.delay_ms, resend.corrupt, DeliveryOutcome::Waiting);
            self.add(event, endpoint, body.to_owned(), how, secrets.clone());
        }
    }

    fn add(
        &mut self,
        event: &SandboxEvent,
        endpoint: &Endpoint,
        body: String,
        (delay_ms, corrupt, fate): (u64, bool, DeliveryOutcome),
        secrets: Vec<String>,
    ) {
        self.made = self.made.saturating_add(1);
        let now = Instant::now();
        self.rows.push(QueuedDelivery {
            id: self.made,
            event: event.id.clone(),
            kind: event.kind.clone(),
            url: endpoint.url.clone(),
            body,
            secrets,
            corrupt,
            due: now.checked_add(Duration::from_millis(delay_ms)).unwrap_or(now),
            attempts: 0,
            fate,
        });
        if self.rows.len() > REMEMBERED_MAX {
            let over = self.rows.iter().position(|row| !is_waiting(row));
            over.map(|place| self.rows.remove(place));
        }
    }

    /// The delivery that is due next, which may be in the future.
    pub fn next(&self) -> Option<&QueuedDelivery> {
        self.rows.iter().filter(|row| is_waiting(row)).min_by_key(|row| (row.due, row.id))
    }

    /// Records the outcome of an attempt: the HTTP status, or why there is none.
    pub fn note(&mut self, id: u64, outcome: Result<u16, String>) {
        let Some(row) = self.rows.iter_mut().find(|row| row.id == id) else { return };
        row.attempts = row.attempts.saturating_add(1);
        let retry = RETRIES.get(row.attempts.saturating_sub(1));
        row.fate = match outcome {
            Ok(status) if (200..300).contains(&status) => DeliveryOutcome::Delivered(status),
            Ok(status) => again(retry, format!("answered {status}")),
            Err(why) => again(retry, why),
        };
        let now = Instant::now();
        row.due = retry.and_then(|pause| now.checked_add(*pause)).unwrap_or(now);
    }

    /// From the newest to the oldest.
    pub fn recent(&self) -> impl Iterator<Item = &QueuedDelivery> {
        self.rows.iter().rev()
    }

    pub fn waiting(&self) -> usize {
        self.rows.iter().filter(|row| is_waiting(row)).count()
    }
}

const fn is_waiting(row: &QueuedDelivery) -> bool {
    matches!(row.fate, DeliveryOutcome::Waiting | DeliveryOutcome::Retrying(_))
}

const fn again(retry: Option<&Duration>, why: String) -> DeliveryOutcome {
    if retry.is_some() { DeliveryOutcome::Retrying(why) } else { DeliveryOutcome::GivenUp(why) }
}

/// A random number below `bound`; 0 if `bound` is 0.
fn chance(bound: u64) -> u64 {
    let bytes = ids::letters(8);
    let number = bytes.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    number.checked_rem(bound).unwrap_or(0)
}
