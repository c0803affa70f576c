//! How do the read models follow the journal?
//!
//! Each read model has, per shard, a checkpoint: the last position that is in its tables. The rows and the
//! checkpoint change in one transaction, and the checkpoint only from the value that was read, so every event
//! counts exactly once, whoever else is running. One process leads each read model, to save work; nothing rests
//! on there being one. A read model that fails stops neither the ledger nor the others.

mod checkpoint;
mod compare;
mod error;
mod follow;
mod leader;
mod listing;
mod parked;
mod rebuild;
mod tables;
mod wait;
mod wake;
mod worker;

use crate::domain::recorded::{Position, Shard};
use std::{collections::BTreeMap, sync::Arc};

use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{clock::Clock, journal::feed::Feed, projections::Projection};

pub use compare::{Compared, ProjectionDifference};
pub use error::ProjectorError;
pub use listing::{ParkedAccount, ProjectionListing, ProjectionState};
pub use rebuild::{RebuildStep, Rebuilt};
pub use wait::AsOf;

use follow::Follower;
use leader::Leadership;
use wait::FollowerProgress;
use wake::Wake;

/// What runs the read models, and what is asked about them. Clones are the same projector.
#[derive(Clone)]
pub struct Projector {
    pool: PgPool,
    feed: Feed,
    clock: Clock,
    projections: Arc<[Arc<dyn Projection>]>,
    progress: Arc<BTreeMap<(&'static str, Shard), watch::Sender<FollowerProgress>>>,
    wake: Wake,
    leadership: Arc<Leadership>,
}

impl Projector {
    /// Prepares to run `projections`. Those that are new get their checkpoints; nothing runs yet.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn open(
        pool: PgPool,
        feed: Feed,
        projections: Vec<Arc<dyn Projection>>,
        clock: Clock,
    ) -> Result<Self, ProjectorError> {
        let shards = feed.shards().await?;
        let mut progress = BTreeMap::new();
        for projection in &projections {
            checkpoint::enter(&pool, &**projection, &shards).await?;
            for shard in &shards {
                progress.insert((projection.name(), *shard), watch::Sender::new(FollowerProgress::default()));
            }
        }
        let leadership = Arc::new(Leadership::new(pool.clone()));
        let (projections, progress) = (projections.into(), Arc::new(progress));
        Ok(Self { pool, feed, clock, projections, progress, wake: Wake::default(), leadership })
    }

    /// Starts to follow the journal until `stop` is cancelled. The tasks are tracked in `tasks`.
    ///
    /// `appended` is what this process appended itself, which is known without asking the database.
    pub fn start(
        &self,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        appended: Option<watch::Receiver<Position>>,
    ) {
        tasks.spawn(wake::listen(self.pool.clone(), self.wake.clone(), stop.clone()));
        if let Some(appended) = appended {
            tasks.spawn(wake::pass_on(appended, self.wake.clone(), stop.clone()));
        }
        for projection in self.projections.iter() {
            for (_, shard) in self.progress.keys().filter(|(name, _)| *name == projection.name()) {
                let follower = Follower::new(self.clone(), Arc::clone(projection), *shard);
                tasks.spawn(follower.run(stop.clone()));
            }
        }
    }

    /// The names of the read models.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.projections.iter().map(|projection| projection.name())
    }

    fn find(&self, name: &str) -> Result<&Arc<dyn Projection>, ProjectorError> {
        let found = self.projections.iter().find(|projection| projection.name() == name);
        found.ok_or_else(|| ProjectorError::Unknown { projection: name.to_owned() })
    }

    fn shards(&self, name: &str) -> Vec<Shard> {
        self.progress.keys().filter(|(known, _)| *known == name).map(|(_, shard)| *shard).collect()
    }
}
