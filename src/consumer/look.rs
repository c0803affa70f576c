//! What has changed in the database that nobody told? Each process looks for all that it leads at once.

use std::{collections::BTreeMap, time::Duration};

use sqlx::FromRow;

use crate::{
    clock::Clock,
    domain::recorded::{JournalPosition, Shard},
};

use super::{
    Consumers, checkpoint::CheckpointId, contract::Pass, error::ConsumerError, wait::FollowerProgress,
};

/// How often the heads of all shards are read.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often the checkpoints are read too: each time after so many of the heads.
const CHECKPOINTS_EACH: u32 = 4;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What others may have changed about a checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CheckpointState {
    pub parks: i64,
    pub is_stopped: bool,
}

/// Only those that are not as at the beginning.
pub(super) type CheckpointStates = BTreeMap<CheckpointId, CheckpointState>;

/// How far one consumer is, in one number for all shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ConsumerMeasure {
    /// The sum of the positions, which is how many events were handled.
    pub handled: u64,
    pub parked: u32,
    /// That of the shard that is the furthest behind.
    pub lag_ms: u32,
}

impl ConsumerMeasure {
    pub fn of(shards: impl Iterator<Item = FollowerProgress>, clock: &Clock) -> Self {
        shards.fold(Self::default(), |all, shard| Self {
            handled: all.handled.saturating_add(u64::try_from(shard.position).unwrap_or(0)),
            parked: all.parked.saturating_add(u32::try_from(shard.parked.len()).unwrap_or(u32::MAX)),
            lag_ms: all.lag_ms.max(shard.lag_ms(clock)),
        })
    }
}

#[derive(FromRow)]
struct StateRow {
    projection: String,
    version: i32,
    shard: i16,
    parks: i64,
    is_stopped: bool,
}

impl Consumers {
    /// Rings for whoever has missed something, and says how far all are.
    pub(super) async fn look_around(&self) {
        let led = self.leadership.watch();
        for number in 0_u32.. {
            let leads_any = !led.borrow().is_empty();
            let seen = async {
                if leads_any {
                    self.look_at_heads().await?;
                }
                if number.is_multiple_of(CHECKPOINTS_EACH) {
                    self.measure();
                    if leads_any {
                        self.look_at_checkpoints().await?;
                    }
                }
                Ok::<_, ConsumerError>(())
            };
            let pause = match seen.await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(error = error.reason(), "what follows the journal does not see its end");
                    RETRY_AFTER
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn look_at_heads(&self) -> Result<(), ConsumerError> {
        for JournalPosition { shard, position: head } in self.feed.heads().await?.iter() {
            let mut known = self.names().filter_map(|name| self.progress.get(&(name, shard)));
            if known.any(|known| known.borrow().has_missed(head)) {
                self.bells.ring(shard);
            }
        }
        Ok(())
    }

    /// Finds what was resumed, unparked or rebuilt, also by other processes.
    async fn look_at_checkpoints(&self) -> Result<(), ConsumerError> {
        let names: Vec<&str> = self.names().collect();
        let rows: Vec<StateRow> =
            sqlx::query_as(include_str!("states.sql")).bind(names).fetch_all(&self.pool).await?;
        let mut states = CheckpointStates::new();
        for StateRow { projection, version, shard, parks, is_stopped } in rows {
            let consumer = self.find(&projection)?.name();
            let place = CheckpointId { consumer, pass: Pass(version), shard: Shard(shard) };
            states.insert(place, CheckpointState { parks, is_stopped });
        }
        let is_as_before = *self.states.borrow() == states;
        // Those who wait to be resumed wait for the next look.
        self.states.send_replace(states);
        if !is_as_before {
            self.bells.ring_all();
        }
        Ok(())
    }

    /// Metrics of what this process leads.
    fn measure(&self) {
        for name in self.names() {
            let known = self.shards.iter().filter_map(|shard| self.progress.get(&(name, *shard)));
            let measured = ConsumerMeasure::of(known.map(|known| known.borrow().clone()), &self.clock);
            let ConsumerMeasure { handled, parked, lag_ms } = measured;
            metrics::counter!("counterfoil_projection_position", "projection" => name).absolute(handled);
            metrics::gauge!("counterfoil_projection_parked_accounts", "projection" => name).set(parked);
            metrics::gauge!("counterfoil_projection_lag_ms", "projection" => name).set(lag_ms);
        }
    }
}
