//! How is a read model built again while the old one is being read?
//!
//! The new version has tables of its own and goes through the journal from the start. When it is where the live
//! one is, both are kept from moving, their totals compared, and the views switched to it, in one transaction.

use std::{collections::BTreeMap, sync::Arc};

use sqlx::{PgConnection, PgPool};

use crate::{
    domain::recorded::{Position, Shard},
    projections::{Projection, Tables},
};

use super::{
    Projector,
    checkpoint::{self, Checkpoint, CheckpointId},
    error::ProjectorError,
    tables,
    worker::{Worker, WorkerStep},
};

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
    pub(super) live: i32,
    pub(super) aside: i32,
}

/// A version of a read model that nobody reads yet.
pub(super) struct Aside {
    pub(super) versions: Versions,
    workers: BTreeMap<Shard, (CheckpointId, Worker)>,
}

impl Aside {
    /// Brings both versions to the same positions, where they stay until the transaction ends. Says the last.
    pub(super) async fn meet(&mut self, transaction: &mut PgConnection) -> Result<i64, ProjectorError> {
        // Looking at all of a large table takes longer than a statement of the ledger may.
        sqlx::raw_sql("set local statement_timeout = 0; set local lock_timeout = '30s'")
            .execute(&mut *transaction)
            .await?;
        let mut position = 0;
        for (live, worker) in self.workers.values_mut() {
            let goal = checkpoint::lock(transaction, *live).await?.ok_or_else(|| gone(*live))?;
            worker.finish(transaction, goal.position).await?;
            position = goal.position;
        }
        Ok(position)
    }
}

impl Projector {
    /// Builds a read model again, from the first event, and shows it to readers.
    ///
    /// Where the totals differ from the live version's, readers keep the old one, unless
    /// `accept_differences`. The old tables stay until [`Projector::drop_old`].
    ///
    /// # Errors
    /// When there is no such read model, another rebuild of it is under way, the new version stops at an event,
    /// or the database cannot answer. The live version is untouched then.
    pub async fn rebuild(
        &self,
        projection: &str,
        accept_differences: bool,
        report: impl Fn(RebuildStep) + Send + Sync,
    ) -> Result<Rebuilt, ProjectorError> {
        let model = Arc::clone(self.find(projection)?);
        let lock = format!("counterfoil/{projection}/rebuild");
        if !self.leadership.take(&lock).await {
            return Err(ProjectorError::RebuildUnderWay { projection: projection.to_owned() });
        }
        let rebuilt = self.rebuild_locked(&model, accept_differences, &report).await;
        self.leadership.release(&lock).await;
        rebuilt
    }

    async fn rebuild_locked(
        &self,
        model: &Arc<dyn Projection>,
        accept_differences: bool,
        report: &(impl Fn(RebuildStep) + Send + Sync),
    ) -> Result<Rebuilt, ProjectorError> {
        let mut aside = self.build_aside(model, report).await?;
        let Versions { live: from_version, aside: to_version } = aside.versions;
        let mut transaction = self.pool.begin().await?;
        aside.meet(&mut transaction).await?;
        let totals_before = totals(&mut transaction, &**model, from_version).await?;
        let totals_after = totals(&mut transaction, &**model, to_version).await?;
        let switched = totals_before == totals_after || accept_differences;
        if switched {
            switch(&mut transaction, &**model, to_version).await?;
            for (live, _) in aside.workers.values() {
                checkpoint::count_park(&mut transaction, *live).await?;
            }
        }
        transaction.commit().await?;
        self.wake.notify();
        Ok(Rebuilt { from_version, to_version, totals_before, totals_after, switched })
    }

    /// Makes a new version of a read model and brings it near the live one.
    pub(super) async fn build_aside(
        &self,
        model: &Arc<dyn Projection>,
        report: &(impl Fn(RebuildStep) + Send + Sync),
    ) -> Result<Aside, ProjectorError> {
        let name = model.name();
        let shards = self.shards(name);
        let (live_version, version) = create(&self.pool, &**model, &shards).await?;
        let mut workers = BTreeMap::new();
        for shard in shards {
            let live = CheckpointId { projection: name, version: live_version, shard };
            let place = CheckpointId { projection: name, version, shard };
            workers.insert(shard, (live, self.catch_up(model, place, live, report).await?));
        }
        Ok(Aside { versions: Versions { live: live_version, aside: version }, workers })
    }

    /// Runs the new version until the live one is near.
    async fn catch_up(
        &self,
        model: &Arc<dyn Projection>,
        place: CheckpointId,
        live: CheckpointId,
        report: &(impl Fn(RebuildStep) + Send + Sync),
    ) -> Result<Worker, ProjectorError> {
        let mut worker = self.open_worker(model, place).await?;
        loop {
            let goal = self.checkpoint(live).await?.position;
            report(RebuildStep {
                shard: place.shard,
                position: Position(worker.checkpoint.position),
                goal: Position(goal),
            });
            if goal.saturating_sub(worker.checkpoint.position) <= SWITCH_EVENTS_MAX {
                return Ok(worker);
            }
            worker.until = goal;
            match worker.step().await? {
                WorkerStep::Advanced | WorkerStep::Again | WorkerStep::AtHead => {}
                WorkerStep::Overtaken => worker = self.open_worker(model, place).await?,
                WorkerStep::Stopped => {
                    let reason = self.checkpoint(place).await?.stopped.unwrap_or_default();
                    return Err(ProjectorError::RebuildStopped { reason });
                }
            }
        }
    }

    async fn open_worker(
        &self,
        model: &Arc<dyn Projection>,
        place: CheckpointId,
    ) -> Result<Worker, ProjectorError> {
        Worker::open(self, model, place).await?.ok_or_else(|| gone(place))
    }

    async fn checkpoint(&self, place: CheckpointId) -> Result<Checkpoint, ProjectorError> {
        let mut connection = self.pool.acquire().await?;
        checkpoint::read(&mut connection, place).await?.ok_or_else(|| gone(place))
    }

    /// Drops the tables of versions that readers no longer see. Says which versions that were.
    ///
    /// # Errors
    /// When there is no such read model, or the database cannot answer.
    pub async fn drop_old(&self, projection: &str) -> Result<Vec<i32>, ProjectorError> {
        let model = self.find(projection)?;
        let mut transaction = self.pool.begin().await?;
        let live = lock_live_version(&mut transaction, model.name()).await?;
        let versions: Vec<i32> = sqlx::query_scalar(include_str!("old_versions.sql"))
            .bind(model.name())
            .bind(live)
            .fetch_all(&mut *transaction)
            .await?;
        for version in &versions {
            drop_version(&mut transaction, &**model, *version).await?;
        }
        transaction.commit().await?;
        Ok(versions)
    }
}

fn gone(place: CheckpointId) -> ProjectorError {
    let CheckpointId { projection, version, shard } = place;
    ProjectorError::RebuildStopped {
        reason: format!(
            "version {version} of `{projection}` has no checkpoint on shard {} any more",
            shard.0
        ),
    }
}

async fn lock_live_version(connection: &mut PgConnection, projection: &str) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar(include_str!("lock_live_version.sql")).bind(projection).fetch_one(connection).await
}

/// Makes the tables and checkpoints of a new version. What an earlier rebuild left unfinished is dropped.
async fn create(
    pool: &PgPool,
    model: &dyn Projection,
    shards: &[Shard],
) -> Result<(i32, i32), ProjectorError> {
    let mut transaction = pool.begin().await?;
    let live = lock_live_version(&mut transaction, model.name()).await?;
    let unfinished: Vec<i32> = sqlx::query_scalar(include_str!("unfinished_versions.sql"))
        .bind(model.name())
        .bind(live)
        .fetch_all(&mut *transaction)
        .await?;
    for version in unfinished {
        drop_version(&mut transaction, model, version).await?;
    }
    let version = live.saturating_add(1);
    tables::make(&mut transaction, model, version).await?;
    sqlx::query(include_str!("begin_version.sql"))
        .bind(model.name())
        .bind(version)
        .bind(shards.iter().map(|shard| shard.0).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok((live, version))
}

pub(super) async fn drop_version(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: i32,
) -> Result<(), sqlx::Error> {
    tables::drop(connection, model, version).await?;
    for statement in [include_str!("forget_parked.sql"), include_str!("forget_checkpoints.sql")] {
        sqlx::query(statement).bind(model.name()).bind(version).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn totals(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: i32,
) -> Result<String, sqlx::Error> {
    let statement = Tables { version }.statement(model.totals());
    sqlx::query_scalar(&statement).fetch_one(connection).await
}

async fn switch(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: i32,
) -> Result<(), sqlx::Error> {
    tables::show(connection, model, version).await?;
    sqlx::query(include_str!("make_live.sql")).bind(model.name()).bind(version).execute(connection).await?;
    Ok(())
}
