//! How does something follow the journal, each event once?
//!
//! Each consumer has, per shard, a checkpoint: the last position that it has handled. What it does with an event and
//! the checkpoint change in one transaction, and the checkpoint only from the value that was read, so every event
//! counts exactly once, whoever else is running. One process leads each consumer, to save work; nothing rests on
//! there being one. A consumer that fails stops neither the ledger nor the others.
//!
//! The read models were the first to follow the journal: the stored rows and the metrics have their names, `projection`
//! for a consumer and `version` for a pass.

pub mod checkpoint;
mod contract;
mod error;
mod follow;
mod leader;
mod pace;
mod parked;
mod wait;
mod wake;
mod worker;

#[cfg(test)]
#[path = "../../tests/unit/consumer/rests.rs"]
mod rests;

use std::{collections::BTreeMap, sync::Arc};

use sqlx::PgPool;
use tokio::sync::watch;
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

use follow::Follower;
use leader::Leadership;
use pace::FollowerPace;
use wait::FollowerProgress;
use wake::Wake;

/// Runs consumers, and answers how far they are. Cheap to clone.
#[derive(Clone)]
pub struct Consumers {
    pool: PgPool,
    feed: Feed,
    clock: Clock,
    consumers: Arc<[Arc<dyn Consumer>]>,
    shards: Arc<[Shard]>,
    progress: Arc<BTreeMap<(&'static str, Shard), watch::Sender<FollowerProgress>>>,
    wake: Wake,
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
    ) -> Result<Self, ConsumerError> {
        let shards = feed.shards().await?;
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
        let leadership = Arc::new(Leadership::new(pool.clone()));
        let (consumers, shards, progress) = (consumers.into(), shards.into(), Arc::new(progress));
        Ok(Self {
            pool,
            feed,
            clock,
            consumers,
            shards,
            progress,
            wake: Wake::default(),
            pace: FollowerPace::default(),
            leadership,
        })
    }

    /// Starts to follow the journal until `stop` is cancelled. The tasks are tracked in `tasks`.
    ///
    /// `appended` is the position that this process has appended up to, which is known without asking the database.
    pub fn start(
        &self,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        appended: Vec<(Shard, watch::Receiver<Position>)>,
    ) {
        tasks.spawn(wake::listen(self.pool.clone(), self.wake.clone(), stop.clone()));
        for (_, appended) in appended {
            tasks.spawn(wake::pass_on(appended, self.wake.clone(), stop.clone()));
        }
        for consumer in self.consumers.iter() {
            for shard in self.shards.iter() {
                let follower = Follower::new(self.clone(), Arc::clone(consumer), *shard);
                tasks.spawn(follower.run(stop.clone()));
            }
        }
    }

    /// Wakes all followers, which then also look for another current pass.
    pub fn wake(&self) {
        self.wake.notify();
    }

    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    fn find(&self, name: &str) -> Result<&Arc<dyn Consumer>, ConsumerError> {
        let found = self.consumers.iter().find(|consumer| consumer.name() == name);
        found.ok_or_else(|| ConsumerError::Unknown { consumer: name.to_owned() })
    }
}
