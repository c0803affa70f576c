//! Where are reports read from? The read models, and the ledger, which knows which accounts exist.

use std::time::Duration;

use sqlx::PgPool;

use crate::{
    domain::{ids::AccountId, recorded::JournalPositions},
    ledger::Ledger,
    projector::Projector,
};

use super::{
    QueryError,
    freshness::{Freshness, ReadRequest, freshness},
};

/// Where reports are read, and how long a read model is waited for.
#[derive(Clone, Copy)]
pub struct ReportSource<'a> {
    pub ledger: &'a Ledger,
    pub projector: &'a Projector,
    pub pool: &'a PgPool,
    pub position_wait: Duration,
}

impl ReportSource<'_> {
    /// Waits until a read model has every event up to `min_position`.
    /// `account`: the account that is read, if it is only one.
    ///
    /// # Errors
    /// If it does not get there in time, there is no such position, or the database does not answer.
    pub async fn wait(
        &self,
        projection: &str,
        account: Option<&AccountId>,
        min_position: Option<&JournalPositions>,
    ) -> Result<Freshness, QueryError> {
        let asked = ReadRequest { projection, account, min_position };
        freshness(self.ledger, self.projector, asked, self.position_wait).await
    }

    /// Checks that an account exists, since a read model has no rows for an account without movements either.
    ///
    /// # Errors
    /// If there is no such account, or the database does not answer.
    pub async fn require_account(&self, account: &AccountId) -> Result<(), QueryError> {
        let exists = self.ledger.view(account).await?.account.opened().is_some();
        if exists { Ok(()) } else { Err(QueryError::AccountNotFound) }
    }
}
