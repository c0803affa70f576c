//! How do processes hear of what others append? Hints only: whoever does not hear it looks
//! ([`look`](super::look)).
//!
//! Who has appended tells it after the commit, on a connection of its own: a commit that notifies waits for all others
//! on the server that do, and no answer to a command may wait for that.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::{Notify, watch};

use crate::domain::recorded::{Position, Shard};

use super::{
    bell::{Bell, Bells},
    leader::Leadership,
};

/// The shortest time between two notifications, each of which names all shards that were appended to meanwhile.
const TELL_EVERY: Duration = Duration::from_millis(20);
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// The shards of whose new events others have not been told.
#[derive(Default)]
pub(super) struct Untold {
    shards: Mutex<BTreeSet<Shard>>,
    some: Notify,
}

impl Untold {
    fn add(&self, shard: Shard) {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner).insert(shard);
        self.some.notify_one();
    }

    fn take(&self) -> BTreeSet<Shard> {
        mem::take(&mut *self.shards.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells the other processes that listen to `channel`.
    pub async fn tell(&self, pool: &PgPool, channel: &str) {
        loop {
            self.some.notified().await;
            let told = sqlx::query(include_str!("tell.sql")).bind(channel).bind(payload(&self.take()));
            if let Err(error) = told.execute(pool).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "other processes are not told of events, and look for them"
                );
            }
            tokio::time::sleep(TELL_EVERY).await;
        }
    }
}

/// Rings when this process appends to a shard, and has others told unless it leads the shard itself.
pub(super) async fn pass_on(
    (shard, mut appended): (Shard, watch::Receiver<Position>),
    bell: Arc<Bell>,
    leadership: Arc<Leadership>,
    untold: Arc<Untold>,
) {
    while appended.changed().await.is_ok() {
        bell.ring();
        if !leadership.leads(shard) {
            untold.add(shard);
        }
    }
}

/// Rings when other processes tell what they have appended.
pub(super) async fn listen(pool: &PgPool, channel: &str, bells: &Bells) {
    loop {
        let heard: Result<(), sqlx::Error> = async {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.listen(channel).await?;
            loop {
                match listener.try_recv().await? {
                    Some(heard) => shards(heard.payload()).for_each(|shard| bells.ring(shard)),
                    // The connection broke and was made again, so a notification may have been missed.
                    None => bells.ring_all(),
                }
            }
        }
        .await;
        if let Err(error) = heard {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot listen for events; polling goes on"
            );
            tokio::time::sleep(RECONNECT_AFTER).await;
        }
    }
}

/// At most 6 bytes for each of 1,024 shards, of the 8,000 that a notification may have.
pub(super) fn payload(told: &BTreeSet<Shard>) -> String {
    told.iter().map(|shard| shard.0.to_string()).collect::<Vec<_>>().join(" ")
}

pub(super) fn shards(payload: &str) -> impl Iterator<Item = Shard> {
    payload.split(' ').filter_map(|number| number.parse().ok().map(Shard))
}
