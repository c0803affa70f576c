//! When is there something new? Hints only: whoever follows the journal also looks now and then.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::recorded::Position;

/// What `ledger.append` notifies.
const CHANNEL: &str = "counterfoil_events";
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// Wakes followers if events may have been appended, or a caller waits for them.
#[derive(Clone)]
pub(super) struct Wake {
    wakeups: Arc<watch::Sender<()>>,
    /// How many callers wait for something to be handled.
    waiting: Arc<AtomicUsize>,
}

/// A caller that waits, until it is dropped.
pub(super) struct WakeInterest(Arc<AtomicUsize>);

impl Drop for WakeInterest {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Wake {
    fn default() -> Self {
        Self { wakeups: Arc::new(watch::Sender::new(())), waiting: Arc::default() }
    }
}

impl Wake {
    pub fn notify(&self) {
        self.wakeups.send_replace(());
    }

    /// Registers a caller that waits, and wakes the followers.
    pub fn wait(&self) -> WakeInterest {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.notify();
        WakeInterest(Arc::clone(&self.waiting))
    }

    pub fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Returns once a caller waits.
    pub async fn until_awaited(&self) {
        let mut wakeups = self.subscribe();
        while !self.is_awaited() && wakeups.changed().await.is_ok() {}
    }

    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.wakeups.subscribe()
    }
}

/// Wakes followers when other processes append.
pub(super) async fn listen(pool: PgPool, wake: Wake, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let listening = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(CHANNEL).await?;
            loop {
                // `None`: the connection broke and was made again, so a notification may have been missed.
                listener.try_recv().await?;
                wake.notify();
            }
        };
        let ended: Option<Result<(), sqlx::Error>> = stop.run_until_cancelled(listening).await;
        if let Some(Err(error)) = ended {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot listen for events; polling goes on"
            );
            stop.run_until_cancelled(tokio::time::sleep(RECONNECT_AFTER)).await;
        }
    }
}

/// Wakes followers when this process appends.
pub(super) async fn pass_on(mut appended: watch::Receiver<Position>, wake: Wake, stop: CancellationToken) {
    while let Some(Ok(())) = stop.run_until_cancelled(appended.changed()).await {
        wake.notify();
    }
}
