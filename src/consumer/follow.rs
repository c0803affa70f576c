//! Which loop runs one consumer?

use crate::domain::recorded::Shard;
use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Consumers,
    checkpoint::{self, CheckpointId},
    contract::Consumer,
    error::ConsumerError,
    pace::Pressure,
    wait::FollowerProgress,
    worker::{Worker, WorkerStep},
};

/// How often the journal is read without a wake-up.
const POLL: Duration = Duration::from_secs(1);
/// How long to wait for more events once all have been handled, so that a busy ledger is followed in few large
/// transactions.
const GATHER: Duration = Duration::from_millis(20);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(10);

pub(super) struct Follower {
    consumers: Consumers,
    consumer: Arc<dyn Consumer>,
    shard: Shard,
    wakeups: watch::Receiver<()>,
}

/// Why the loop over one worker ended.
enum Ended {
    /// Open another worker: the pass that counts, the leader or the parked accounts may have changed.
    Reopen,
    Cancelled,
}

impl Consumers {
    /// Lets a consumer that stopped try again.
    ///
    /// # Errors
    /// If there is no such consumer, or the database does not answer.
    pub async fn resume(&self, consumer: &str) -> Result<(), ConsumerError> {
        let consumer = self.find(consumer)?;
        let mut connection = self.pool.acquire().await?;
        let pass = consumer.current_pass(&mut connection).await?;
        let resume = sqlx::query(include_str!("resume.sql")).bind(consumer.name()).bind(pass.0);
        resume.execute(&mut *connection).await?;
        Ok(())
    }
}

impl Follower {
    pub fn new(consumers: Consumers, consumer: Arc<dyn Consumer>, shard: Shard) -> Self {
        let wakeups = consumers.wake.subscribe();
        Self { consumers, consumer, shard, wakeups }
    }

    /// Follows until `stop` is cancelled, and goes on after every failure.
    pub async fn run(mut self, stop: CancellationToken) {
        let name = format!("counterfoil/{}/{}", self.consumer.name(), self.shard.0);
        let mut retry_after = RETRY_FIRST;
        while !stop.is_cancelled() {
            if !self.consumers.leadership.hold(&name).await {
                self.publish(FollowerProgress::default());
                stop.run_until_cancelled(tokio::time::sleep(POLL)).await;
                continue;
            }
            match self.lead(&name, &stop).await {
                Ok(Ended::Reopen) => retry_after = RETRY_FIRST,
                Ok(Ended::Cancelled) => break,
                Err(error) => {
                    let consumer = self.consumer.name();
                    tracing::warn!(consumer, error = error.reason(), "the consumer waits to try again");
                    stop.run_until_cancelled(tokio::time::sleep(retry_after)).await;
                    retry_after = retry_after.saturating_mul(2).min(RETRY_LAST);
                }
            }
        }
        self.publish(FollowerProgress::default());
        self.consumers.leadership.release(&name).await;
    }

    async fn lead(&mut self, name: &str, stop: &CancellationToken) -> Result<Ended, ConsumerError> {
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
                if !self.consumers.leadership.hold(name).await {
                    return Ok(Ended::Reopen);
                }
            }
            self.wakeups.mark_unchanged();
            let begun = Instant::now();
            match worker.step(i64::MAX).await? {
                WorkerStep::Advanced => self.rest_after(begun.elapsed(), &worker, stop).await,
                WorkerStep::Again => {}
                WorkerStep::AtHead => self.rest(stop).await,
                WorkerStep::Overtaken => return Ok(Ended::Reopen),
                WorkerStep::Stopped => {
                    self.until_resumed(worker.place, stop).await?;
                    return Ok(Ended::Reopen);
                }
            }
        }
    }

    async fn open(&self) -> Result<Option<Worker>, ConsumerError> {
        let mut connection = self.consumers.pool.acquire().await?;
        let pass = self.consumer.current_pass(&mut connection).await?;
        drop(connection);
        let place = CheckpointId { consumer: self.consumer.name(), pass, shard: self.shard };
        self.consumers.worker(place).await
    }

    /// Rests after a step if the ledger is busy, but only a little once a caller waits.
    async fn rest_after(&mut self, step: Duration, worker: &Worker, stop: &CancellationToken) {
        if !matches!(self.wakeups.has_changed(), Ok(true)) {
            return;
        }
        let ended = Instant::now();
        let rest = |is_awaited| Pressure { lag_ms: self.lag_ms(worker), is_awaited }.rest(step);
        let whole = self.consumers.pace.rest_until(ended + rest(false));
        let awaited = async {
            tokio::time::sleep(rest(true)).await;
            self.consumers.wake.until_awaited().await;
        };
        stop.run_until_cancelled(async {
            tokio::select! {
                () = whole => {}
                () = awaited => {}
            }
        })
        .await;
    }

    /// Waits for a wake-up, and then for more events, unless a caller waits for the first.
    async fn rest(&mut self, stop: &CancellationToken) {
        let heard = tokio::time::timeout(POLL, self.wakeups.changed());
        if let Some(Ok(_)) = stop.run_until_cancelled(heard).await {
            let gathering =
                async { while !self.consumers.wake.is_awaited() && self.wakeups.changed().await.is_ok() {} };
            let _: Result<_, _> = tokio::time::timeout(GATHER, gathering).await;
        }
    }

    async fn until_resumed(
        &self,
        place: CheckpointId,
        stop: &CancellationToken,
    ) -> Result<(), ConsumerError> {
        while !stop.is_cancelled() {
            let mut connection = self.consumers.pool.acquire().await?;
            let pass = self.consumer.current_pass(&mut connection).await?;
            let found = checkpoint::read(&mut connection, place).await?;
            if pass != place.pass || found.is_none_or(|checkpoint| checkpoint.stopped.is_none()) {
                return Ok(());
            }
            drop(connection);
            stop.run_until_cancelled(tokio::time::sleep(POLL)).await;
        }
        Ok(())
    }

    fn publish_worker(&self, worker: &Worker) {
        let progress = FollowerProgress::of(&worker.checkpoint, true);
        let name = self.consumer.name();
        metrics::counter!("counterfoil_projection_position", "projection" => name)
            .absolute(u64::try_from(progress.position).unwrap_or(0));
        metrics::gauge!("counterfoil_projection_parked_accounts", "projection" => name)
            .set(u32::try_from(progress.parked.len()).unwrap_or(u32::MAX));
        metrics::gauge!("counterfoil_projection_lag_ms", "projection" => name).set(self.lag_ms(worker));
        self.publish(progress);
    }

    /// The age of the last event that was handled, while there are more to come.
    fn lag_ms(&self, worker: &Worker) -> u32 {
        worker.behind_since.map_or(0, |at| {
            let age = self.consumers.clock.now().micros().saturating_sub(at.micros());
            u32::try_from(age.max(0).div_euclid(1_000)).unwrap_or(u32::MAX)
        })
    }

    fn publish(&self, progress: FollowerProgress) {
        if let Some(known) = self.consumers.progress.get(&(self.consumer.name(), self.shard)) {
            known.send_replace(progress);
        }
    }
}
