//! Which instances of the program work on the same ledger, and which of them writes a shard?
//!
//! Any instance may write any shard: an append names the position that it was decided on, and fails if another one was
//! faster. Two that write the same shard all the time decide most of their batches twice, so one of them is preferred.
//! The preference follows from who is there, so nobody elects or locks anything, and a wrong view costs time, never a
//! credit.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{domain::recorded::Shard, journal::shards::Shards};

/// How often an instance says that it is there.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// How long it counts as there after it has said so.
const BEAT_LASTS: Duration = Duration::from_secs(5);
/// For how long nothing is sent to an instance that did not answer. Twice as long each time, up to [`AVOIDED_MAX`].
const AVOIDED: Duration = Duration::from_secs(1);
const AVOIDED_MAX: Duration = Duration::from_secs(32);

/// An instance that others reach at an address.
#[derive(Debug)]
pub struct Instance {
    id: Uuid,
    /// Where its routes begin, without a slash at the end.
    pub address: String,
    since: Instant,
    /// How often it has not answered since it last did.
    failures: AtomicU32,
    /// Until when nothing is sent to it, in milliseconds after `since`.
    avoided_until: AtomicU64,
}

impl Instance {
    fn new(id: Uuid, address: String) -> Self {
        Self {
            id,
            address,
            since: Instant::now(),
            failures: AtomicU32::new(0),
            avoided_until: AtomicU64::new(0),
        }
    }

    /// Sends it nothing for a while, since it did not answer.
    pub fn avoid(&self) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed);
        let pause = AVOIDED.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(AVOIDED_MAX);
        self.avoided_until.store(millis(self.since.elapsed() + pause), Ordering::Relaxed);
    }

    pub fn answered(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Whether a command may be sent to it. After it did not answer, one at a time tries.
    pub fn may_be_asked(&self) -> bool {
        if self.failures.load(Ordering::Relaxed) == 0 {
            return true;
        }
        let (now, until) = (self.since.elapsed(), self.avoided_until.load(Ordering::Relaxed));
        let next = millis(now + AVOIDED);
        millis(now) >= until
            && self.avoided_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The instances of a ledger, as this one knows them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Instances(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    shards: Shards,
    /// `None`: this instance does its work alone.
    own: Option<Instance>,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    others: Vec<Arc<Instance>>,
    /// The preferred writers of shards that others write.
    elsewhere: BTreeMap<Shard, Arc<Instance>>,
    /// When this was read.
    at: Option<Instant>,
}

impl Instances {
    /// `address`: where others reach this instance, such as `http://10.0.0.5:8080`.
    /// `None`: this instance does not say that it is there, and writes whatever it is sent.
    #[must_use]
    pub fn new(shards: Shards, address: Option<String>) -> Self {
        let own =
            address.map(|address| Instance::new(Uuid::new_v4(), address.trim_end_matches('/').to_owned()));
        Self(Arc::new(Shared { shards, own, known: RwLock::default() }))
    }

    /// Says that this instance is there, and looks who else is, until `stop` is cancelled.
    pub async fn run(self, pool: PgPool, stop: CancellationToken) {
        let Some(own) = &self.0.own else { return };
        while !stop.is_cancelled() {
            if let Err(error) = self.beat(&pool, own).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "the other instances are not known");
            }
            stop.run_until_cancelled(tokio::time::sleep(BEAT_EVERY)).await;
        }
        let gone = sqlx::query(include_str!("leave.sql")).bind(own.id).execute(&pool).await;
        if let Err(error) = gone {
            tracing::debug!(error = &error as &dyn std::error::Error, "the others notice in some seconds");
        }
    }

    /// Says that this instance is there, once, and looks who else is.
    async fn beat(&self, pool: &PgPool, own: &Instance) -> Result<(), sqlx::Error> {
        let there: Vec<(Uuid, String)> = sqlx::query_as(include_str!("beat.sql"))
            .bind(own.id)
            .bind(&own.address)
            .bind(BEAT_LASTS.as_secs_f64())
            .fetch_all(pool)
            .await?;
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        // What is known of an instance stays, as long as it does.
        let others: Vec<Arc<Instance>> = there
            .into_iter()
            .filter(|(id, _)| *id != own.id)
            .map(|(id, address)| {
                let same = known.others.iter().find(|other| other.id == id && other.address == address);
                same.map_or_else(|| Arc::new(Instance::new(id, address.clone())), Arc::clone)
            })
            .collect();
        let ids: Vec<Uuid> = others.iter().map(|other| other.id).chain([own.id]).collect();
        let elsewhere = writers(&self.0.shards, &ids)
            .into_iter()
            .filter_map(|(shard, id)| Some((shard, Arc::clone(others.iter().find(|other| other.id == id)?))))
            .collect();
        *known = Known { others, elsewhere, at: Some(Instant::now()) };
        Ok(())
    }

    /// Whether any other instance has said that it is there.
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.0.own.is_some() && !self.0.known.read().unwrap_or_else(PoisonError::into_inner).others.is_empty()
    }

    /// The instance that is preferred for a shard. `None`: this one.
    #[must_use]
    pub fn elsewhere(&self, shard: Shard) -> Option<Arc<Instance>> {
        self.0.own.as_ref()?;
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_current = known.at.is_some_and(|at| at.elapsed() < BEAT_LASTS);
        known.elsewhere.get(&shard).filter(|_| is_current).cloned()
    }

    /// Where the preferred writer of a shard is reached. `None`: no instance says where it is.
    #[must_use]
    pub fn writer_address(&self, shard: Shard) -> Option<String> {
        let elsewhere = self.elsewhere(shard).map(|other| other.address.clone());
        elsewhere.or_else(|| self.0.own.as_ref().map(|own| own.address.clone()))
    }
}

/// The preferred writer of each shard: of those that have room for one more, the one whose hash with the shard is the
/// greatest. None has more than its equal part, and if an instance comes or goes, few shards move between the others.
fn writers(shards: &Shards, instances: &[Uuid]) -> BTreeMap<Shard, Uuid> {
    let most = shards.iter().len().div_ceil(instances.len().max(1));
    let mut counts: BTreeMap<Uuid, usize> = BTreeMap::new();
    let mut writers = BTreeMap::new();
    for shard in shards.iter() {
        let with_room = instances.iter().filter(|id| counts.get(id).is_none_or(|count| *count < most));
        if let Some(first) = with_room.max_by_key(|id| weight(shard, **id)) {
            let count = counts.entry(*first).or_default();
            *count = count.saturating_add(1);
            writers.insert(shard, *first);
        }
    }
    writers
}

fn weight(shard: Shard, instance: Uuid) -> ([u8; 32], Uuid) {
    let mut hasher = Sha256::new();
    hasher.update(shard.0.to_be_bytes());
    hasher.update(instance.as_bytes());
    (hasher.finalize().into(), instance)
}

#[cfg(test)]
#[path = "../../tests/unit/instances/spread.rs"]
mod spread;
