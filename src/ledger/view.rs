//! What is the exact state of an account, whichever instance is asked?
//!
//! What this instance remembers is only where reading starts: every view reads the later events from the database, so
//! it always includes what any instance has acknowledged.

use std::sync::Arc;

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use sqlx::PgPool;

use crate::{
    domain::{
        account::Account,
        ids::AccountId,
        recorded::{JournalPosition, Shard},
    },
    journal::{
        append,
        load::{self, LoadError, LoadedAccount},
    },
};

use super::cached_account::{CacheMemory, CachedAccount};

/// How much memory an account takes, usually. Which size is usual makes no difference to how much they may take in all.
const USUAL_BYTES: usize = 4_096;

/// How many parts the cache is divided into, each with its own lock and an equal part of the memory.
const PARTS: usize = 8;
/// An account counts for at most this part of one of them.
const PART_MAX: usize = 4;

/// An account at a position of the journal.
#[derive(Clone, Debug)]
pub struct View {
    pub account: Account,
    /// The sequence of the account's last event.
    pub sequence: i64,
    /// All events up to this position are included.
    pub position: JournalPosition,
}

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("the account cannot be read")]
    Load(#[from] LoadError),
}

impl From<sqlx::Error> for ViewError {
    fn from(error: sqlx::Error) -> Self {
        Self::Load(LoadError::Database(error))
    }
}

/// The accounts that were looked at last, of all shards.
pub(super) struct ViewedAccounts(Cache<AccountId, CachedAccount, ByBytes>);

/// An account counts for at most so many bytes, so that there is room for the largest, too.
#[derive(Clone)]
struct ByBytes {
    bytes_max: usize,
}

impl Weighter<AccountId, CachedAccount> for ByBytes {
    fn weight(&self, _: &AccountId, cached: &CachedAccount) -> u64 {
        u64::try_from(cached.bytes().min(self.bytes_max)).unwrap_or(u64::MAX)
    }
}

impl ViewedAccounts {
    #[expect(clippy::expect_used, reason = "options without a capacity are the only ones that are refused")]
    pub(super) fn new(memory: CacheMemory) -> Self {
        let bytes = memory.for_views();
        let options = OptionsBuilder::new()
            .shards(PARTS)
            .estimated_items_capacity(bytes / USUAL_BYTES)
            .weight_capacity(u64::try_from(bytes).unwrap_or(u64::MAX))
            .build()
            .expect("both capacities are given");
        let by_bytes = ByBytes { bytes_max: bytes / PARTS / PART_MAX };
        Self(Cache::with_options(
            options,
            by_bytes,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        ))
    }
}

pub(super) struct Views {
    pool: PgPool,
    shard: Shard,
    viewed: Arc<ViewedAccounts>,
}

impl Views {
    pub(super) const fn new(pool: PgPool, shard: Shard, viewed: Arc<ViewedAccounts>) -> Self {
        Self { pool, shard, viewed }
    }

    pub(super) async fn current(&self, id: &AccountId) -> Result<View, ViewError> {
        let mut connection = self.pool.acquire().await?;
        // Read before the account, which has everything up to this position and perhaps more.
        let position = append::head(&mut connection, self.shard).await?;
        let known = self.advance(&mut connection, id).await?;
        let sequence = known.sequence();
        let position = JournalPosition::new(self.shard, position);
        Ok(View { account: known.state, sequence, position })
    }

    /// Those of the accounts that have events.
    pub(super) async fn known(&self, ids: Vec<AccountId>) -> Result<Vec<LoadedAccount>, ViewError> {
        let (mut cached, mut others) = (Vec::new(), Vec::new());
        for id in ids {
            match self.viewed.0.get(&id) {
                Some(known) => cached.push(known.account),
                None => others.push(id),
            }
        }
        let mut connection = self.pool.acquire().await?;
        let mut known = load::advance(&mut connection, self.shard, cached).await?;
        known.extend(load::load(&mut connection, self.shard, &others).await?);
        known.retain(|known| known.tail.is_some());
        Ok(known)
    }

    async fn advance(
        &self,
        connection: &mut sqlx::PgConnection,
        id: &AccountId,
    ) -> Result<LoadedAccount, ViewError> {
        let cached = self.viewed.0.get(id);
        let current = match &cached {
            Some(cached) => load::advance(connection, self.shard, vec![cached.account.clone()]).await?,
            None => load::load(connection, self.shard, std::slice::from_ref(id)).await?,
        };
        let known = current.into_iter().next().unwrap_or_else(|| LoadedAccount::nothing(id.clone()));
        // Accounts that do not exist are not remembered, so that asking for many of them costs no memory.
        if known.tail.is_some() {
            let cached =
                cached.map_or_else(|| CachedAccount::new(known.clone()), |cached| cached.with(known.clone()));
            self.viewed.0.insert(id.clone(), cached);
        }
        Ok(known)
    }
}
