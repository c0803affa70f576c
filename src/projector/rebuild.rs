//! How is a read model built again while the old one is being read?
//!
//! The new version has tables of its own and goes through the journal from the start. When it is where the live
//! one is, both are kept from moving, their totals compared, and the views switched to it, in one transaction.

use sqlx::PgConnection;

use crate::{
    consumer::{
        Pass, Worker, WorkerStep,
        checkpoint::{self, Checkpoint, CheckpointId},
    },
    domain::recorded::{Position, Shard},
    journal::shards,
    projections::{Projection, Tables},
};

use super::{Projector, error::ProjectorError, tables, turn::RebuildTurn, versions};

/// How far behind the live version the new one may be when both are stopped for the switch.
const SWITCH_EVENTS_MAX: i64 = 5_000;

/// What a rebuild reports while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuildStep {
    pub shard: Shard,
    pub position: Position,
    /// Where the live version is.
    pub goal: Position,
}

/// How a rebuild ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    pub from_version: i32,
    pub to_version: i32,
    /// The totals of both versions at the same positions, line by line.
    pub totals_before: String,
    pub totals_after: String,
    /// Whether readers see the new version now. Where totals differ, only if that was asked for.
    pub switched: bool,
}

impl Rebuilt {
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.totals_before == self.totals_after
    }
}

/// The version that readers see, and the one that was built aside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Versions {
    pub(super) live: Pass,
    pub(super) aside: Pass,
}

/// A version of a read model that nobody reads yet.
pub(super) struct Aside {
    pub(super) versions: Versions,
    /// On each shard, with the checkpoint of the live version.
    workers: Vec<(CheckpointId, Worker)>,
}

impl Aside {
    /// Brings both versions to the same positions, where they stay until the transaction ends. Returns the last one.
    pub(super) async fn meet(&mut self, transaction: &mut PgConnection) -> Result<i64, ProjectorError> {
        // Reading a large table whole takes longer than the limit for statements of the ledger.
        sqlx::raw_sql("set local statement_timeout = 0; set local lock_timeout = '30s'")
            .execute(&mut *transaction)
            .await?;
        let mut position = 0;
        for (live, worker) in &mut self.workers {
            let goal = checkpoint::lock(transaction, *live).await?.ok_or_else(|| gone(*live))?;
            if !worker.finish(transaction, goal.position).await? {
                let reason = "its checkpoint was moved by someone else".to_owned();
                return Err(ProjectorError::RebuildStopped { reason });
            }
            position = goal.position;
        }
        Ok(position)
    }
}

impl Projector {
    /// Builds a read model again, from the first event, and shows it to readers.
    ///
    /// If the totals differ from the live version's, readers keep the old one, unless `accept_differences`.
    /// The old tables stay until [`Projector::drop_old`].
    ///
    /// # Errors
    /// If there is no such read model, another rebuild of it is under way, the new version stops at an event,
    /// or the database does not answer. The live version is untouched then.
    pub async fn rebuild(
        &self,
        projection: &str,
        accept_differences: bool,
        report: impl Fn(RebuildStep) + Send + Sync,
    ) -> Result<Rebuilt, ProjectorError> {
        let model = &**self.find(projection)?;
        let turn = RebuildTurn::take(&self.pool, model.name()).await?;
        turn.during(self.rebuild_alone(model, &turn, accept_differences, &report)).await
    }

    async fn rebuild_alone(
        &self,
        model: &dyn Projection,
        turn: &RebuildTurn,
        accept_differences: bool,
        report: &(impl Fn(RebuildStep) + Send + Sync),
    ) -> Result<Rebuilt, ProjectorError> {
        let mut aside = self.build_aside(model, turn, report).await?;
        let Versions { live, aside: new } = aside.versions;
        let mut transaction = self.pool.begin().await?;
        // From here on, a growth of the ledger waits until readers see the new version.
        versions::lock_live(&mut transaction, model.name()).await?;
        self.require_all_shards(&mut transaction).await?;
        aside.meet(&mut transaction).await?;
        let totals_before = totals(&mut transaction, model, live).await?;
        let totals_after = totals(&mut transaction, model, new).await?;
        let switched = totals_before == totals_after || accept_differences;
        if switched {
            versions::switch(&mut transaction, model, new).await?;
            for (live, _) in &aside.workers {
                checkpoint::invalidate(&mut transaction, *live).await?;
            }
        }
        turn.confirm(&mut transaction).await?;
        transaction.commit().await?;
        self.consumers.wake();
        Ok(Rebuilt { from_version: live.0, to_version: new.0, totals_before, totals_after, switched })
    }

    /// A version that is made of the shards of before a growth lacks the others.
    pub(super) async fn require_all_shards(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(), ProjectorError> {
        let are_all = shards::numbers(connection).await? == self.consumers.shards();
        if are_all { Ok(()) } else { Err(ProjectorError::Grown) }
    }

    /// Makes a new version of a read model and brings it near the live one.
    pub(super) async fn build_aside(
        &self,
        model: &dyn Projection,
        turn: &RebuildTurn,
        report: &(impl Fn(RebuildStep) + Send + Sync),
    ) -> Result<Aside, ProjectorError> {
        let versions = self.create(model, turn).await?;
        let mut workers = Vec::new();
        for shard in self.consumers.shards().iter().copied() {
            let place = |pass| CheckpointId { consumer: model.name(), pass, shard };
            let (live, aside) = (place(versions.live), place(versions.aside));
            workers.push((live, self.catch_up(aside, live, report).await?));
        }
        Ok(Aside { versions, workers })
    }

    /// Runs the new version until the live one is near.
    async fn catch_up(
        &self,
        place: CheckpointId,
        live: CheckpointId,
        report: &(impl Fn(RebuildStep) + Send + Sync),
    ) -> Result<Worker, ProjectorError> {
        let mut worker = self.worker(place).await?;
        loop {
            let goal = self.checkpoint(live).await?.position;
            report(RebuildStep {
                shard: place.shard,
                position: Position(worker.position()),
                goal: Position(goal),
            });
            if goal.saturating_sub(worker.position()) <= SWITCH_EVENTS_MAX {
                return Ok(worker);
            }
            match worker.step(goal).await? {
                WorkerStep::Advanced | WorkerStep::Again => {}
                // The checkpoint says more than the journal has.
                WorkerStep::AtHead => return Err(ProjectorError::PositionMissing { position: goal }),
                WorkerStep::Overtaken => worker = self.worker(place).await?,
                WorkerStep::Stopped => {
                    let reason = self.checkpoint(place).await?.stopped.unwrap_or_default();
                    return Err(ProjectorError::RebuildStopped { reason });
                }
            }
        }
    }

    async fn worker(&self, place: CheckpointId) -> Result<Worker, ProjectorError> {
        self.consumers.worker(place).await?.ok_or_else(|| gone(place))
    }

    async fn checkpoint(&self, place: CheckpointId) -> Result<Checkpoint, ProjectorError> {
        let mut connection = self.pool.acquire().await?;
        checkpoint::read(&mut connection, place).await?.ok_or_else(|| gone(place))
    }

    /// Makes the tables and checkpoints of a new version. What an earlier rebuild left unfinished is dropped.
    async fn create(&self, model: &dyn Projection, turn: &RebuildTurn) -> Result<Versions, ProjectorError> {
        let mut transaction = self.pool.begin().await?;
        let live = versions::lock_live(&mut transaction, model.name()).await?;
        for unfinished in checkpoint::passes(&mut transaction, model.name()).await? {
            if unfinished > live {
                drop_version(&mut transaction, model, unfinished).await?;
            }
        }
        let aside = Pass(live.0.saturating_add(1));
        tables::make(&mut transaction, model, aside.0).await?;
        checkpoint::begin(&mut transaction, model.name(), aside, self.consumers.shards()).await?;
        turn.confirm(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Versions { live, aside })
    }

    /// Drops the tables of versions that readers no longer see, and returns these versions.
    ///
    /// # Errors
    /// If there is no such read model, or the database does not answer.
    pub async fn drop_old(&self, projection: &str) -> Result<Vec<i32>, ProjectorError> {
        let model = &**self.find(projection)?;
        let mut transaction = self.pool.begin().await?;
        let live = versions::lock_live(&mut transaction, model.name()).await?;
        let mut old = checkpoint::passes(&mut transaction, model.name()).await?;
        old.retain(|version| *version < live);
        for version in &old {
            drop_version(&mut transaction, model, *version).await?;
        }
        transaction.commit().await?;
        Ok(old.into_iter().map(|version| version.0).collect())
    }
}

fn gone(place: CheckpointId) -> ProjectorError {
    let CheckpointId { consumer, pass, shard } = place;
    ProjectorError::RebuildStopped {
        reason: format!("version {} of `{consumer}` has no checkpoint on shard {} any more", pass.0, shard.0),
    }
}

pub(super) async fn drop_version(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: Pass,
) -> Result<(), sqlx::Error> {
    tables::drop(connection, model, version.0).await?;
    checkpoint::forget(connection, model.name(), version).await
}

async fn totals(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: Pass,
) -> Result<String, sqlx::Error> {
    let statement = Tables { version: version.0 }.statement(model.totals());
    sqlx::query_scalar(&statement).fetch_one(connection).await
}
