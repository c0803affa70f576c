//! Who sells to an account now?
//! One request at a time, over all instances, so that each sees what the one before has sold.

use sqlx::PgPool;
use uuid::Uuid;

use super::{CallId, Calls};
use crate::domain::{ids::AccountId, time::Timestamp};

/// After how many seconds a turn ends by itself: longer than a call to Stripe takes.
const TURN_S: f64 = 120.0;

/// A turn. It ends when it is dropped.
#[derive(Debug)]
pub struct CallTurn {
    pool: PgPool,
    account: String,
    token: Uuid,
}

/// Other calls of an account that may have sold a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoldLately {
    /// Whether any of them has an unknown outcome.
    pub unknown: bool,
    /// Whether any of them was begun recently.
    pub any: bool,
}

impl Calls {
    /// Takes the account's turn. `None`: another request has it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn take_turn(&self, account: &AccountId) -> Result<Option<CallTurn>, sqlx::Error> {
        let (account, token) = (account.as_str().to_owned(), Uuid::new_v4());
        let taken = sqlx::query(include_str!("take_turn.sql")).bind(&account).bind(token).bind(TURN_S);
        let taken = taken.execute(&self.pool).await?.rows_affected() == 1;
        Ok(taken.then(|| CallTurn { pool: self.pool.clone(), account, token }))
    }

    /// Deletes a call with an unknown outcome that was first sent before `before`. `false`: there was none.
    ///
    /// # Errors
    /// If the database does not answer.
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

    /// What else was, or may have been, sold to the account since `since`.
    ///
    /// # Errors
    /// If the database does not answer.
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
    /// Also runs if the caller disconnects. If the program ends, the turn ends after [`TURN_S`].
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
