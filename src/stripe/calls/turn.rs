//! Who sells to an account now? One request at a time, on whichever instance, so that each sees what the one before has
//! sold.

use sqlx::PgPool;
use uuid::Uuid;

use super::{CallId, Calls};
use crate::domain::{ids::AccountId, time::Timestamp};

/// How long a turn lasts that nobody ends: longer than Stripe is waited for.
const TURN_S: f64 = 120.0;

/// A turn. It is over when it is dropped.
#[derive(Debug)]
pub struct CallTurn {
    pool: PgPool,
    account: String,
    token: Uuid,
}

/// What else an account was asked to pay for that a plan could come of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoldLately {
    /// Of one of them, nobody knows what came of it.
    pub unknown: bool,
    /// One of them was begun not long ago.
    pub any: bool,
}

impl Calls {
    /// `None`: it is somebody else's.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_turn(&self, account: &AccountId) -> Result<Option<CallTurn>, sqlx::Error> {
        let (account, token) = (account.as_str().to_owned(), Uuid::new_v4());
        let taken = sqlx::query(include_str!("take_turn.sql")).bind(&account).bind(token).bind(TURN_S);
        let taken = taken.execute(&self.pool).await?.rows_affected() == 1;
        Ok(taken.then(|| CallTurn { pool: self.pool.clone(), account, token }))
    }

    /// Forgets a call with an outcome that nobody knows, if it was asked first before then. `false`: it was not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_old(&self, id: &CallId, before: Timestamp) -> Result<bool, sqlx::Error> {
        let forgotten = sqlx::query(include_str!("forget_old.sql"))
            .bind(id.account.as_str())
            .bind(id.operation.as_str())
            .bind(&id.key)
            .bind(before.to_utc())
            .execute(&self.pool)
            .await?;
        Ok(forgotten.rows_affected() == 1)
    }

    /// What else was sold to the account since then, or may have been.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sold_lately(&self, id: &CallId, since: Timestamp) -> Result<SoldLately, sqlx::Error> {
        let (unknown, any) = sqlx::query_as(include_str!("sold_lately.sql"))
            .bind(id.account.as_str())
            .bind(id.operation.as_str())
            .bind(&id.key)
            .bind(since.to_utc())
            .fetch_one(&self.pool)
            .await?;
        Ok(SoldLately { unknown, any })
    }
}

impl Drop for CallTurn {
    /// Also when the caller has gone away in the middle. Where the program ends, it is left to run out.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (pool, account, token) = (self.pool.clone(), std::mem::take(&mut self.account), self.token);
        runtime.spawn(async move {
            let ended =
                sqlx::query(include_str!("end_turn.sql")).bind(account).bind(token).execute(&pool).await;
            if let Err(error) = ended {
                tracing::debug!(error = &error as &dyn std::error::Error, "a turn is left to run out");
            }
        });
    }
}
