//! When is there something new on a shard? Hints only: whoever follows the journal also looks now and then.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::watch;

use crate::domain::recorded::Shard;

/// Wakes those who follow a shard if events may have been appended there, or a caller waits for them.
#[derive(Default)]
pub(super) struct Bell {
    rung: watch::Sender<()>,
    /// How many callers wait for something to be handled.
    waiting: AtomicUsize,
}

/// A caller that waits, until it is dropped.
pub(super) struct BellCaller(Arc<Bell>);

impl Drop for BellCaller {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Bell {
    pub fn ring(&self) {
        self.rung.send_replace(());
    }

    /// Registers a caller that waits, and rings.
    pub fn wait(self: &Arc<Self>) -> BellCaller {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.ring();
        BellCaller(Arc::clone(self))
    }

    pub fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Returns once a caller waits.
    pub async fn until_awaited(&self) {
        let mut rung = self.listen();
        while !self.is_awaited() && rung.changed().await.is_ok() {}
    }

    pub fn listen(&self) -> watch::Receiver<()> {
        self.rung.subscribe()
    }
}

/// The bells of all shards. Cheap to clone.
#[derive(Clone)]
pub(super) struct Bells(Arc<BTreeMap<Shard, Arc<Bell>>>);

impl Bells {
    pub fn new(shards: &[Shard]) -> Self {
        Self(Arc::new(shards.iter().map(|shard| (*shard, Arc::default())).collect()))
    }

    pub fn of(&self, shard: Shard) -> Option<&Arc<Bell>> {
        self.0.get(&shard)
    }

    pub fn ring(&self, shard: Shard) {
        if let Some(bell) = self.of(shard) {
            bell.ring();
        }
    }

    pub fn ring_all(&self) {
        self.0.values().for_each(|bell| bell.ring());
    }
}
