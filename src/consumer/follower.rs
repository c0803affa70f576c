//! What does one consumer do when there is something to handle on a shard?

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::domain::recorded::Shard;

use super::{
    Consumers,
    bell::Bell,
    checkpoint::CheckpointId,
    contract::Consumer,
    error::ConsumerError,
    look::CheckpointState,
    pace::Pressure,
    wait::FollowerProgress,
    worker::{Worker, WorkerStep},
};

/// How long to wait for more events once some were appended, so that a busy ledger is followed in few large
/// transactions.
const GATHER: Duration = Duration::from_millis(20);
/// How long a step keeps others waiting. One that takes longer, or hangs, goes on beside them.
const TURN_MAX: Duration = Duration::from_secs(1);
const REOPEN_AFTER: Duration = Duration::from_secs(1);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(10);

/// One consumer on one shard, while this process leads it.
pub(super) struct Follower {
    consumers: Consumers,
    consumer: Arc<dyn Consumer>,
    shard: Shard,
    bell: Arc<Bell>,
    rung: watch::Receiver<()>,
    /// `None`: the pass that counts, or the parked accounts, may have changed.
    worker: Option<Worker>,
    retry_after: Duration,
    /// Until when it rests if the ledger is busy.
    rest: FollowerRest,
}

/// Until when a follower rests after a step.
#[derive(Clone, Copy)]
struct FollowerRest {
    whole: Instant,
    /// Once a caller waits.
    awaited: Instant,
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

    pub(super) fn publish(&self, consumer: &'static str, shard: Shard, progress: FollowerProgress) {
        if let Some(known) = self.progress.get(&(consumer, shard)) {
            known.send_replace(progress);
        }
    }
}

impl Follower {
    pub fn new(consumers: &Consumers, consumer: &Arc<dyn Consumer>, shard: Shard, bell: &Arc<Bell>) -> Self {
        let mut rung = bell.listen();
        // It looks first, and then waits to be called.
        rung.mark_changed();
        Self {
            consumers: consumers.clone(),
            consumer: Arc::clone(consumer),
            shard,
            bell: Arc::clone(bell),
            rung,
            worker: None,
            retry_after: RETRY_FIRST,
            rest: FollowerRest { whole: Instant::now(), awaited: Instant::now() },
        }
    }

    /// Whether the bell rang since its last step began.
    pub fn is_called(&self) -> bool {
        self.rung.has_changed().unwrap_or(false)
    }

    /// Handles what there is, and goes on after every failure.
    pub async fn work(mut self, ended: CancellationToken) -> Self {
        self.gather().await;
        self.rest(&ended).await;
        self.worker = self.worker.take_if(|worker| !self.consumers.is_outdated(worker));
        while !ended.is_cancelled() {
            match self.step(&ended).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let consumer = self.consumer.name();
                    tracing::warn!(consumer, error = error.reason(), "the consumer waits to try again");
                    ended.run_until_cancelled(tokio::time::sleep(self.retry_after)).await;
                    self.retry_after = self.retry_after.saturating_mul(2).min(RETRY_LAST);
                }
            }
        }
        self
    }

    /// Waits for more events, unless a caller waits for the first.
    async fn gather(&mut self) {
        let gathering = async { while !self.bell.is_awaited() && self.rung.changed().await.is_ok() {} };
        let _: Result<_, _> = tokio::time::timeout(GATHER, gathering).await;
    }

    /// `false`: nothing is left to handle.
    async fn step(&mut self, ended: &CancellationToken) -> Result<bool, ConsumerError> {
        let connection = self.consumers.connections.acquire().await;
        let turn = self.consumers.turns.acquire().await;
        let opened = match self.worker.take() {
            Some(worker) => Some(worker),
            None => self.open().await?,
        };
        let Some(mut worker) = opened else {
            // The pass was given up, and another one counts soon.
            drop((turn, connection));
            ended.run_until_cancelled(tokio::time::sleep(REOPEN_AFTER)).await;
            return Ok(true);
        };
        self.rung.mark_unchanged();
        let begun = Instant::now();
        let step = {
            let mut step = pin!(worker.step(i64::MAX));
            let in_time = tokio::time::timeout(TURN_MAX, &mut step).await;
            drop(turn);
            match in_time {
                Ok(step) => step?,
                Err(_) => step.await?,
            }
        };
        drop(connection);
        let took = begun.elapsed();
        self.retry_after = RETRY_FIRST;
        self.publish(&worker, step == WorkerStep::AtHead);
        match step {
            WorkerStep::Advanced => {
                self.rest = self.rest_after(begun, took, &worker);
                if self.is_called() {
                    self.rest(ended).await;
                }
            }
            WorkerStep::Again | WorkerStep::AtHead => {}
            WorkerStep::Overtaken => return Ok(true),
            WorkerStep::Stopped => {
                self.until_resumed(&worker, ended).await;
                return Ok(true);
            }
        }
        self.worker = Some(worker);
        Ok(step != WorkerStep::AtHead)
    }

    async fn open(&self) -> Result<Option<Worker>, ConsumerError> {
        let mut connection = self.consumers.pool.acquire().await?;
        let pass = self.consumer.current_pass(&mut connection).await?;
        drop(connection);
        let place = CheckpointId { consumer: self.consumer.name(), pass, shard: self.shard };
        let opened = self.consumers.worker(place).await?;
        opened.iter().for_each(|worker| self.publish(worker, false));
        Ok(opened)
    }

    /// Rests if the ledger is busy: whatever was appended during a step or soon after waits, and many events are one
    /// step. Once a caller waits, it rests only a little.
    async fn rest(&self, ended: &CancellationToken) {
        let FollowerRest { whole, awaited } = self.rest;
        if whole <= Instant::now() {
            return;
        }
        let awaited = async {
            tokio::time::sleep_until(awaited).await;
            self.bell.until_awaited().await;
        };
        let rested = async {
            tokio::select! {
                () = self.consumers.pace.rest_until(whole) => {}
                () = awaited => {}
            }
        };
        ended.run_until_cancelled(rested).await;
    }

    /// Until when to rest after a step: all steps are counted, or for a caller who waits, only this one.
    fn rest_after(&self, begun: Instant, took: Duration, worker: &Worker) -> FollowerRest {
        let lag_ms = FollowerProgress::of(worker, false).lag_ms(&self.consumers.clock);
        let all = self.consumers.pace.add(begun, took);
        let until = |is_awaited, used| Instant::now() + Pressure { lag_ms, is_awaited }.rest(used);
        FollowerRest { whole: until(false, all), awaited: until(true, took) }
    }

    /// Waits until somebody has the consumer try again, or another pass counts.
    async fn until_resumed(&self, worker: &Worker, ended: &CancellationToken) {
        let mut states = self.consumers.states.subscribe();
        let resumed = async {
            // What is known now is from before it stopped.
            states.changed().await?;
            states
                .wait_for(|states| {
                    let state = states.get(&worker.place).copied().unwrap_or_default();
                    !state.is_stopped || state.parks > worker.checkpoint.parks
                })
                .await
                .map(drop)
        };
        let _: Option<Result<(), _>> = ended.run_until_cancelled(resumed).await;
    }

    fn publish(&self, worker: &Worker, is_at_end: bool) {
        let progress = FollowerProgress::of(worker, is_at_end);
        self.consumers.publish(self.consumer.name(), self.shard, progress);
    }
}

impl Consumers {
    /// Whether somebody else has changed what the worker goes by.
    fn is_outdated(&self, worker: &Worker) -> bool {
        let state: Option<CheckpointState> = self.states.borrow().get(&worker.place).copied();
        state.is_some_and(|state| state.parks > worker.checkpoint.parks)
    }
}
