//! What is the exact state of an account, whichever instance is asked?
//!
//! What this instance remembers is only where reading starts: every view reads the later events from the database, so
//! it always includes what any instance has acknowledged.

use quick_cache::sync::Cache;
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

pub(super) struct Views {
    pool: PgPool,
    shard: Shard,
    known: Cache<AccountId, LoadedAccount>,
}

impl Views {
    /// Remembers at most `accounts`.
    pub(super) fn new(pool: PgPool, shard: Shard, accounts: usize) -> Self {
        Self { pool, shard, known: Cache::new(accounts) }
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

    pub(super) async fn known(&self, id: &AccountId) -> Result<LoadedAccount, ViewError> {
        let mut connection = self.pool.acquire().await?;
        self.advance(&mut connection, id).await
    }

    async fn advance(
        &self,
        connection: &mut sqlx::PgConnection,
        id: &AccountId,
    ) -> Result<LoadedAccount, ViewError> {
        let current = match self.known.get(id) {
            Some(known) => load::advance(connection, self.shard, vec![known]).await?,
            None => load::load(connection, self.shard, std::slice::from_ref(id)).await?,
        };
        let known = current.into_iter().next().unwrap_or_else(|| LoadedAccount::nothing(id.clone()));
        // Accounts that do not exist are not remembered, so that asking for many of them costs no memory.
        if known.tail.is_some() {
            self.known.insert(id.clone(), known.clone());
        }
        Ok(known)
    }
}
