//! How does something follow the journal, each event once?
//!
//! Each consumer has, per shard, a checkpoint: the last position that it has handled. What it does with an event and
//! the checkpoint change in one transaction, and the checkpoint only from the value that was read, so every event
//! counts exactly once, whoever else is running. One process leads each shard, to save work; nothing rests on there
//! being one. A consumer that fails stops neither the ledger nor the others.
//!
//! The read models were the first to follow the journal: the stored rows and the metrics have their names, `projection`
//! for a consumer and `version` for a pass.

mod bell;
pub mod checkpoint;
mod contract;
mod error;
mod follow;
mod follower;
mod leader;
mod look;
mod pace;
mod parked;
mod tell;
mod wait;
mod worker;

#[cfg(test)]
#[path = "../../tests/unit/consumer/bells.rs"]
mod bells;
#[cfg(test)]
#[path = "../../tests/unit/consumer/measures.rs"]
mod measures;
#[cfg(test)]
#[path = "../../tests/unit/consumer/rests.rs"]
mod rests;

use std::{collections::BTreeMap, sync::Arc};

use sqlx::PgPool;
use tokio::sync::{Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock::Clock,
    domain::recorded::{Position, Shard},
    journal::feed::Feed,
};

pub use contract::{Consumer, FailureRule, HandleError, Pass};
pub use error::ConsumerError;
pub use parked::ParkedAccount;
pub use wait::AsOf;
pub use worker::{Worker, WorkerStep};

use bell::Bells;
use leader::Leadership;
use look::CheckpointStates;
use pace::FollowerPace;
use tell::Untold;
use wait::FollowerProgress;

/// How many steps run at the same time, over all shards and consumers: fewer than there are connections.
const STEPS_MAX: usize = 12;
/// How many of them are on their way at least, if none hangs.
const STEPS_MIN: usize = 2;

/// As many steps as there are processors, so that they do not take all of them from those who write. The database may
/// be on another machine, which is seldom a smaller one.
fn steps_at_once() -> usize {
    std::thread::available_parallelism().map_or(STEPS_MIN, |all| all.get().clamp(STEPS_MIN, STEPS_MAX))
}

/// The names by which processes that run the same consumers find each other in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedNames {
    /// What the names of the leases begin with.
    pub leases: String,
    /// On which they tell each other of what they append.
    pub channel: String,
}

impl Default for SharedNames {
    fn default() -> Self {
        Self { leases: "counterfoil".to_owned(), channel: "counterfoil_events".to_owned() }
    }
}

/// Runs consumers, and answers how far they are. Cheap to clone.
#[derive(Clone)]
pub struct Consumers {
    pool: PgPool,
    feed: Feed,
    clock: Clock,
    consumers: Arc<[Arc<dyn Consumer>]>,
    shards: Arc<[Shard]>,
    channel: Arc<str>,
    progress: Arc<BTreeMap<(&'static str, Shard), watch::Sender<FollowerProgress>>>,
    states: Arc<watch::Sender<CheckpointStates>>,
    bells: Bells,
    /// For steps that may take connections.
    connections: Arc<Semaphore>,
    /// For steps that are on their way. Whoever has waited longest is next, so that no shard waits for another one to
    /// come to its end.
    turns: Arc<Semaphore>,
    pace: FollowerPace,
    leadership: Arc<Leadership>,
}

impl Consumers {
    /// Prepares to run `consumers`. Those that are new get their checkpoints; nothing runs yet.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn open(
        pool: PgPool,
        feed: Feed,
        consumers: Vec<Arc<dyn Consumer>>,
        clock: Clock,
        names: SharedNames,
    ) -> Result<Self, ConsumerError> {
        let (shards, steps_at_once) = (feed.shards().await?, steps_at_once());
        let mut progress = BTreeMap::new();
        for consumer in &consumers {
            let mut transaction = pool.begin().await?;
            let pass = consumer.current_pass(&mut transaction).await?;
            checkpoint::begin(&mut transaction, consumer.name(), pass, &shards).await?;
            transaction.commit().await?;
            for shard in &shards {
                progress.insert((consumer.name(), *shard), watch::Sender::new(FollowerProgress::default()));
            }
        }
        Ok(Self {
            leadership: Arc::new(Leadership::new(pool.clone(), &names.leases, &shards)),
            pool,
            feed,
            clock,
            consumers: consumers.into(),
            channel: names.channel.into(),
            progress: Arc::new(progress),
            states: Arc::default(),
            bells: Bells::new(&shards),
            connections: Arc::new(Semaphore::new(STEPS_MAX)),
            turns: Arc::new(Semaphore::new(steps_at_once)),
            pace: FollowerPace::new(steps_at_once),
            shards: shards.into(),
        })
    }

    /// Starts to follow the journal until `stop` is cancelled. The tasks are tracked in `tasks`.
    ///
    /// `appended` is the position that this process has appended up to, per shard, which is known without asking the
    /// database.
    pub fn start(
        &self,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        appended: Vec<(Shard, watch::Receiver<Position>)>,
    ) {
        let untold = Arc::new(Untold::default());
        for (shard, positions) in appended {
            let Some(bell) = self.bells.of(shard).cloned() else { continue };
            let (leadership, untold) = (Arc::clone(&self.leadership), Arc::clone(&untold));
            let passing_on = tell::pass_on((shard, positions), bell, leadership, untold);
            tasks.spawn(stop.clone().run_until_cancelled_owned(passing_on));
        }
        let of = self.clone();
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
            tokio::join!(
                untold.tell(&of.pool, &of.channel),
                tell::listen(&of.pool, &of.channel, &of.bells),
                of.look_around(),
            )
        }));
        let (leadership, stopping) = (Arc::clone(&self.leadership), stop.clone());
        tasks.spawn(async move { leadership.keep(&stopping).await });
        for shard in self.shards.iter() {
            tasks.spawn(self.clone().follow(*shard, stop.clone()));
        }
    }

    /// Wakes all followers.
    pub fn wake(&self) {
        self.bells.ring_all();
    }

    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.consumers.iter().map(|consumer| consumer.name())
    }

    fn find(&self, name: &str) -> Result<&Arc<dyn Consumer>, ConsumerError> {
        let found = self.consumers.iter().find(|consumer| consumer.name() == name);
        found.ok_or_else(|| ConsumerError::Unknown { consumer: name.to_owned() })
    }
}
