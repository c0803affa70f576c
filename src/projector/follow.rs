//! Which loop keeps one read model up to date?

use crate::domain::recorded::Shard;
use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::projections::Projection;

use super::{
    Projector,
    checkpoint::{self, CheckpointId},
    error::ProjectorError,
    wait::FollowerProgress,
    worker::{Worker, WorkerStep},
};

/// How often the journal is looked at when nothing was heard.
const POLL: Duration = Duration::from_secs(1);
/// How long events are let gather once all have been applied, so that a busy ledger is followed in few large
/// transactions.
const GATHER: Duration = Duration::from_millis(20);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(10);

pub(super) struct Follower {
    projector: Projector,
    projection: Arc<dyn Projection>,
    shard: Shard,
    wakeups: watch::Receiver<()>,
}

/// Why the loop over one worker ended.
enum Ended {
    /// Open another worker: the version, the leader or the parked accounts may have changed.
    Reopen,
    Cancelled,
}

impl Follower {
    pub fn new(projector: Projector, projection: Arc<dyn Projection>, shard: Shard) -> Self {
        let wakeups = projector.wake.subscribe();
        Self { projector, projection, shard, wakeups }
    }

    /// Follows until `stop` is cancelled, through every failure.
    pub async fn run(mut self, stop: CancellationToken) {
        let name = format!("counterfoil/{}/{}", self.projection.name(), self.shard.0);
        let mut retry_after = RETRY_FIRST;
        while !stop.is_cancelled() {
            if !self.projector.leadership.hold(&name).await {
                self.publish(&FollowerProgress::default());
                stop.run_until_cancelled(tokio::time::sleep(POLL)).await;
                continue;
            }
            match self.lead(&name, &stop).await {
                Ok(Ended::Reopen) => retry_after = RETRY_FIRST,
                Ok(Ended::Cancelled) => break,
                Err(error) => {
                    let projection = self.projection.name();
                    tracing::warn!(projection, error = error.reason(), "the read model waits to try again");
                    stop.run_until_cancelled(tokio::time::sleep(retry_after)).await;
                    retry_after = retry_after.saturating_mul(2).min(RETRY_LAST);
                }
            }
        }
        self.publish(&FollowerProgress::default());
        self.projector.leadership.release(&name).await;
    }

    async fn lead(&mut self, name: &str, stop: &CancellationToken) -> Result<Ended, ProjectorError> {
        let Some(mut worker) = self.open().await? else {
            stop.run_until_cancelled(tokio::time::sleep(POLL)).await;
            return Ok(Ended::Reopen);
        };
        let mut looked_at = Instant::now();
        loop {
            self.publish_worker(&worker);
            if stop.is_cancelled() {
                return Ok(Ended::Cancelled);
            }
            if looked_at.elapsed() > POLL {
                looked_at = Instant::now();
                if !self.projector.leadership.hold(name).await {
                    return Ok(Ended::Reopen);
                }
            }
            self.wakeups.mark_unchanged();
            match worker.step().await? {
                WorkerStep::Advanced | WorkerStep::Again => {}
                WorkerStep::AtHead => self.rest(stop).await,
                WorkerStep::Overtaken => return Ok(Ended::Reopen),
                WorkerStep::Stopped => {
                    self.until_resumed(worker.place, stop).await?;
                    return Ok(Ended::Reopen);
                }
            }
        }
    }

    async fn open(&self) -> Result<Option<Worker>, ProjectorError> {
        let projection = self.projection.name();
        let mut connection = self.projector.pool.acquire().await?;
        let version = checkpoint::live_version(&mut connection, projection).await?;
        drop(connection);
        let place = CheckpointId { projection, version, shard: self.shard };
        Worker::open(&self.projector, &self.projection, place).await
    }

    /// Waits for a hint that there is more, then for more to gather, unless a caller waits for it.
    async fn rest(&mut self, stop: &CancellationToken) {
        let heard = tokio::time::timeout(POLL, self.wakeups.changed());
        if let Some(Ok(_)) = stop.run_until_cancelled(heard).await {
            let gathering =
                async { while !self.projector.wake.is_awaited() && self.wakeups.changed().await.is_ok() {} };
            let _: Result<_, _> = tokio::time::timeout(GATHER, gathering).await;
        }
    }

    async fn until_resumed(
        &self,
        place: CheckpointId,
        stop: &CancellationToken,
    ) -> Result<(), ProjectorError> {
        while !stop.is_cancelled() {
            let mut connection = self.projector.pool.acquire().await?;
            let version = checkpoint::live_version(&mut connection, place.projection).await?;
            let found = checkpoint::read(&mut connection, place).await?;
            if version != place.version || found.is_none_or(|checkpoint| checkpoint.stopped.is_none()) {
                return Ok(());
            }
            drop(connection);
            stop.run_until_cancelled(tokio::time::sleep(POLL)).await;
        }
        Ok(())
    }

    fn publish_worker(&self, worker: &Worker) {
        let (position, parked) = (worker.checkpoint.position, Arc::clone(&worker.checkpoint.parked));
        let projection = self.projection.name();
        metrics::counter!("counterfoil_projection_position", "projection" => projection)
            .absolute(u64::try_from(position).unwrap_or(0));
        metrics::gauge!("counterfoil_projection_parked_accounts", "projection" => projection)
            .set(u32::try_from(parked.len()).unwrap_or(u32::MAX));
        metrics::gauge!("counterfoil_projection_lag_ms", "projection" => projection).set(self.lag_ms(worker));
        self.publish(&FollowerProgress { leads: true, position, parked });
    }

    /// The age of the last event that was applied, while there are more to come.
    fn lag_ms(&self, worker: &Worker) -> u32 {
        worker.behind_since.map_or(0, |at| {
            let age = self.projector.clock.now().micros().saturating_sub(at.micros());
            u32::try_from(age.max(0).div_euclid(1_000)).unwrap_or(u32::MAX)
        })
    }

    fn publish(&self, progress: &FollowerProgress) {
        if let Some(known) = self.projector.progress.get(&(self.projection.name(), self.shard)) {
            known.send_replace(progress.clone());
        }
    }
}
