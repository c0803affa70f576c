//! Which process rebuilds a read model? The one that has the lease for it.
//!
//! Two at once would make, fill and drop the same tables. The lease saves that work; that only one of them makes the
//! tables, shows them or drops them is confirmed in the transactions that do it.

use sqlx::{PgConnection, PgPool};

use crate::postgres::lease::WorkLease;

use super::ProjectorError;

/// The right to rebuild a read model.
pub(super) struct RebuildTurn {
    lease: WorkLease,
    projection: String,
}

impl RebuildTurn {
    /// # Errors
    /// If another one rebuilds it, in this process or in another, or the database does not answer.
    pub async fn take(pool: &PgPool, projection: &str) -> Result<Self, ProjectorError> {
        let projection = projection.to_owned();
        match WorkLease::take(pool, &format!("counterfoil/{projection}/rebuild")).await? {
            Some(lease) => Ok(Self { lease, projection }),
            None => Err(ProjectorError::RebuildUnderWay { projection }),
        }
    }

    /// Does the work, and ends the turn.
    pub async fn during<T>(
        &self,
        work: impl Future<Output = Result<T, ProjectorError>>,
    ) -> Result<T, ProjectorError> {
        self.lease.during(work).await.unwrap_or_else(|| Err(self.taken_over()))
    }

    /// Makes sure that no other one rebuilds it until the transaction ends.
    pub async fn confirm(&self, transaction: &mut PgConnection) -> Result<(), ProjectorError> {
        if self.lease.confirm(transaction).await? { Ok(()) } else { Err(self.taken_over()) }
    }

    fn taken_over(&self) -> ProjectorError {
        ProjectorError::RebuildUnderWay { projection: self.projection.clone() }
    }
}
