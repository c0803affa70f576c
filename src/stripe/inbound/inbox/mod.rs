//! Which deliveries are stored, and what is the state of each?
//!
//! Every delivery with a valid signature is stored once, before it is answered.
//! Events that were never delivered can be fetched, and are stored in the same way.
//! A verified body that is not an event is refused (400) and not stored: it has no id, and Stripe keeps it, shows the
//! failure, and sends it again.

mod admin;
mod blank;
pub(super) mod claim;
mod coupons;
mod latest_event;
mod list;
mod retention;
mod source;
mod state;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::Notify;

use super::accounts::customer_links::CustomerLinks;
use super::signature::{self, Secrets, SignatureError};
use crate::{
    domain::{ids::ProviderId, time::Timestamp},
    stripe::{
        documents::{
            Document,
            envelope::{Envelope, Unparsable},
        },
        translate::OwnerLookup,
    },
};

use blank::blanked;
use claim::HandlingContext;

pub use admin::Operated;
pub use latest_event::LatestEvent;
pub use list::{InboxEntry, InboxPage, InboxSummary};
pub use retention::{DAYS_DEFAULT, DocumentRetention};
pub use source::{Fetched, Proof};
pub use state::InboxState;

/// The largest body that is accepted, in bytes. Stripe documents no limit; its events have a few kilobytes.
pub const BODY_BYTES_MAX: usize = 1_000_000;

/// The stored deliveries. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Inbox {
    pool: PgPool,
    links: CustomerLinks,
    arrivals: Arc<Notify>,
    incomplete: Arc<Notify>,
}

/// A delivery is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxReceipt {
    pub event: ProviderId,
    pub kind: String,
    /// The name of the secret that verified it.
    pub secret: String,
    /// Whether it had been delivered before. The first body is the one that is stored.
    pub repeated: bool,
}

/// Why a delivery was not accepted. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error("the delivery is not signed by Stripe")]
    Signature(#[from] SignatureError),
    #[error("the delivery is signed, but is not an event")]
    Unparsable(#[from] Unparsable),
    /// The only fault: Stripe will send the event again.
    #[error("the event could not be stored")]
    Storage(#[from] sqlx::Error),
}

impl Inbox {
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let links = CustomerLinks::new(pool.clone());
        Self { pool, links, arrivals: Arc::default(), incomplete: Arc::default() }
    }

    /// Receives a delivery: verifies it, stores it once, and wakes this process's processor.
    ///
    /// # Errors
    /// If it is not signed with one of `secrets`, is not an event, or cannot be stored.
    pub async fn receive(
        &self,
        secrets: &Secrets,
        signature: Option<&str>,
        body: &[u8],
        at: Timestamp,
    ) -> Result<InboxReceipt, ReceiveError> {
        let secret = signature::verify(secrets, signature, body, at)?.name().to_owned();
        let event = Envelope::parse(body)?;
        let stored = self.store(&event, (Proof::Signed, Some(&secret)), body, at).await?;
        if stored {
            self.wake_lane(HandlingContext::Whole);
        }
        Ok(InboxReceipt { event: event.id, kind: event.kind, secret, repeated: !stored })
    }

    /// Stores an event that was not delivered. It is handled as if it had been. Returns whether it is new.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn take(
        &self,
        event: &Envelope,
        fetched: Fetched,
        body: &[u8],
        at: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let stored = self.store(event, (fetched.into(), None), body, at).await?;
        if stored {
            self.wake_lane(HandlingContext::Whole);
        }
        Ok(stored)
    }

    /// The links between customers and accounts.
    #[must_use]
    pub const fn customer_links(&self) -> &CustomerLinks {
        &self.links
    }

    /// Wakes this process's processor.
    pub fn wake(&self) {
        self.wake_lane(HandlingContext::Whole);
        self.wake_lane(HandlingContext::Asking);
    }

    pub(super) fn wake_lane(&self, lane: HandlingContext) {
        self.notify_of(lane).notify_one();
    }

    /// Waits until there may be work.
    pub(super) async fn arrival(&self, lane: HandlingContext) {
        self.notify_of(lane).notified().await;
    }

    fn notify_of(&self, lane: HandlingContext) -> &Notify {
        match lane {
            HandlingContext::Whole => &self.arrivals,
            HandlingContext::Asking => &self.incomplete,
        }
    }

    pub(super) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Stores an event. Returns whether it is new.
    async fn store(
        &self,
        event: &Envelope,
        (proof, secret): (Proof, Option<&str>),
        body: &[u8],
        at: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let Party { name, customer, payment } = Party::of(event);
        let stored = sqlx::query(include_str!("store.sql"))
            .bind(event.id.as_str())
            .bind(&event.kind)
            .bind(event.api_version.as_deref())
            .bind(event.created.to_utc())
            .bind(event.livemode)
            .bind(event.account.as_deref())
            .bind(proof.as_str())
            .bind(secret)
            .bind(blanked(body))
            .bind(at.to_utc())
            .bind(name)
            .bind(customer)
            .bind(payment)
            .bind(event.object().and_then(Document::id_of).map(|object| object.to_string()))
            .execute(&self.pool)
            .await?;
        Ok(stored.rows_affected() == 1)
    }
}

/// A party: its events are handled one after the other.
struct Party {
    name: String,
    customer: Option<String>,
    /// The payment that leads to the account.
    payment: Option<String>,
}

impl Party {
    fn of(event: &Envelope) -> Self {
        let object: Option<Document<'_>> = event.object();
        let (name, customer, payment) = match object.and_then(OwnerLookup::of) {
            Some(OwnerLookup::Customer(customer) | OwnerLookup::Account { customer: Some(customer), .. }) => {
                (format!("customer:{customer}"), Some(customer.to_string()), None)
            }
            Some(OwnerLookup::Account { account, customer: None }) => {
                (format!("account:{account}"), None, None)
            }
            Some(OwnerLookup::Payment(payment)) => {
                (format!("payment:{payment}"), None, Some(payment.to_string()))
            }
            None => (format!("event:{}", event.id), None, None),
        };
        Self { name, customer, payment }
    }
}
