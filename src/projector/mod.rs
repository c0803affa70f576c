//! How do the read models follow the journal?
//!
//! Each read model is a consumer of the journal, and each version of its tables a pass through it. Readers see one
//! version; a rebuild makes another one beside it.

mod compare;
mod error;
mod listing;
mod read_model;
mod rebuild;
mod tables;
mod turn;
mod versions;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock::Clock,
    consumer::{AsOf, Consumer, Consumers, SharedNames},
    domain::{
        ids::AccountId,
        recorded::{Position, Shard},
    },
    journal::feed::Feed,
    projections::Projection,
};

pub use compare::{Compared, ProjectionDifference};
pub use error::ProjectorError;
pub use listing::{ProjectionListing, ProjectionState};
pub use rebuild::{RebuildStep, Rebuilt};

use read_model::ReadModel;

/// Runs the read models, and answers how far they are. Cheap to clone.
#[derive(Clone)]
pub struct Projector {
    pool: PgPool,
    projections: Arc<[Arc<dyn Projection>]>,
    consumers: Consumers,
}

impl Projector {
    /// Prepares to run `projections`. Those that are new get their tables and checkpoints; nothing runs yet.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn open(
        pool: PgPool,
        feed: Feed,
        projections: Vec<Arc<dyn Projection>>,
        clock: Clock,
    ) -> Result<Self, ProjectorError> {
        Self::open_as(pool, feed, projections, clock, SharedNames::default()).await
    }

    /// The same, for tests of instances that do not hear of each other.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn open_as(
        pool: PgPool,
        feed: Feed,
        projections: Vec<Arc<dyn Projection>>,
        clock: Clock,
        names: SharedNames,
    ) -> Result<Self, ProjectorError> {
        let mut models: Vec<Arc<dyn Consumer>> = Vec::new();
        for projection in &projections {
            versions::enter(&pool, &**projection).await?;
            models.push(Arc::new(ReadModel(Arc::clone(projection))));
        }
        let consumers = Consumers::open(pool.clone(), feed, models, clock, names).await?;
        Ok(Self { pool, projections: projections.into(), consumers })
    }

    /// Starts to follow the journal: [`Consumers::start`].
    pub fn start(
        &self,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        appended: Vec<(Shard, watch::Receiver<Position>)>,
    ) {
        self.consumers.start(tasks, stop, appended);
    }

    /// Waits until a read model has every event up to `min_position`: [`Consumers::wait_for`].
    ///
    /// # Errors
    /// If there is no such read model, or the database does not answer.
    pub async fn wait_for(
        &self,
        projection: &str,
        shard: Shard,
        account: Option<&AccountId>,
        min_position: Position,
        bound: Duration,
    ) -> Result<AsOf, ProjectorError> {
        let name = self.find(projection)?.name();
        Ok(self.consumers.wait_for(name, shard, account, min_position, bound).await?)
    }

    /// Applies the events of a parked account that waited: [`Consumers::unpark`].
    ///
    /// # Errors
    /// If the account is not parked, one of its events still cannot be applied, or the database cannot
    /// answer.
    pub async fn unpark(&self, projection: &str, account: &AccountId) -> Result<u64, ProjectorError> {
        Ok(self.consumers.unpark(self.find(projection)?.name(), account).await?)
    }

    /// Lets a read model that stopped try again.
    ///
    /// # Errors
    /// If there is no such read model, or the database does not answer.
    pub async fn resume(&self, projection: &str) -> Result<(), ProjectorError> {
        Ok(self.consumers.resume(self.find(projection)?.name()).await?)
    }

    /// The names of the read models.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.projections.iter().map(|projection| projection.name())
    }

    fn find(&self, name: &str) -> Result<&Arc<dyn Projection>, ProjectorError> {
        let found = self.projections.iter().find(|projection| projection.name() == name);
        found.ok_or_else(|| ProjectorError::Unknown { projection: name.to_owned() })
    }
}
