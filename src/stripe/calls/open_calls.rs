//! Which calls have an outcome that nobody knows, and what becomes of them?

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;

use super::{CallId, Calls, Operation};
use crate::{
    domain::{ids::AccountId, time::Timestamp},
    queue::Backoff,
};

/// How long Stripe is relied on to know a key, of the day that it says: after that, asking again could do it again.
pub const KEY_LIVES: TimeDelta = TimeDelta::hours(23);
/// How long an asking may take before it is looked at by the program itself: longer than a client tries.
pub const RESOLVE_AFTER: TimeDelta = TimeDelta::seconds(60);
/// How long whoever asks again has the call to themselves.
const ASK_AGAIN: Backoff = Backoff { delay_s_min: 60, delay_s_max: 3_600 };
/// How long the key of a page is remembered. What a repetition would open after that does nothing by itself.
pub const PAGES_KEPT: TimeDelta = TimeDelta::days(90);

/// One time that Stripe is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallAttempt {
    /// Whether it was asked before, with an outcome that is not known.
    pub again: bool,
    /// When it was asked first.
    since: Timestamp,
    number: i32,
}

/// A call that is due to be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueCall {
    pub account: String,
    pub operation: String,
    pub key: String,
}

impl CallAttempt {
    /// Whether Stripe may have forgotten the key.
    #[must_use]
    pub fn is_too_late(&self, now: Timestamp) -> bool {
        self.again && self.since.plus(KEY_LIVES) <= now
    }
}

impl DueCall {
    /// `None`: it is of an account that cannot be one.
    #[must_use]
    pub fn id(&self, operation: Operation) -> Option<CallId> {
        let account = AccountId::parse(&self.account).ok()?;
        Some(CallId { account, operation, key: self.key.clone() })
    }
}

impl Calls {
    /// Writes down that Stripe is about to be asked. `None`: it is settled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_attempt(
        &self,
        id: &CallId,
        now: Timestamp,
    ) -> Result<Option<CallAttempt>, sqlx::Error> {
        let row: Option<(bool, DateTime<Utc>, i32)> = sqlx::query_as(include_str!("begin_attempt.sql"))
            .bind(id.account.as_str())
            .bind(id.operation.as_str())
            .bind(&id.key)
            .bind(now.to_utc())
            .bind(now.plus(RESOLVE_AFTER).to_utc())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|(again, since, number)| CallAttempt { again, since: since.into(), number }))
    }

    /// Writes down that nothing has happened, if that is known of every asking. `false`: it is not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mark_not_sent(
        &self,
        id: &CallId,
        asking: &CallAttempt,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        if asking.again {
            return Ok(false);
        }
        let noted = sqlx::query(include_str!("mark_not_sent.sql"))
            .bind(id.account.as_str())
            .bind(id.operation.as_str())
            .bind(&id.key)
            .bind(asking.number)
            .bind(now.to_utc())
            .execute(&self.pool)
            .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Takes up to `max` calls that are due to be asked again. Nobody else gets them for a while.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim(&self, now: Timestamp, max: i64) -> Result<Vec<DueCall>, sqlx::Error> {
        let claim = sqlx::query(include_str!("claim.sql")).bind(now.to_utc()).bind(max);
        let rows = claim.bind(ASK_AGAIN.delays_s()).fetch_all(&self.pool).await?;
        let due = rows.into_iter().map(|row| {
            Ok(DueCall { account: row.try_get(0)?, operation: row.try_get(1)?, key: row.try_get(2)? })
        });
        due.collect()
    }

    /// Writes down that nobody will ever know, by this key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mark_lost(&self, id: &CallId, now: Timestamp) -> Result<(), sqlx::Error> {
        let lose =
            sqlx::query(include_str!("mark_lost.sql")).bind(id.account.as_str()).bind(id.operation.as_str());
        lose.bind(&id.key).bind(now.to_utc()).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets a call whose outcome is not known, so that the same is asked anew.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget(&self, id: &CallId) -> Result<(), sqlx::Error> {
        let forget =
            sqlx::query(include_str!("forget.sql")).bind(id.account.as_str()).bind(id.operation.as_str());
        forget.bind(&id.key).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets up to `max` pages that are long over, and says how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_pages(&self, now: Timestamp, max: i64) -> Result<u64, sqlx::Error> {
        let forget = sqlx::query(include_str!("forget_pages.sql")).bind(now.minus(PAGES_KEPT).to_utc());
        Ok(forget.bind(max).execute(&self.pool).await?.rows_affected())
    }

    /// How many calls are open, and for how many seconds the oldest of them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_open(&self, now: Timestamp) -> Result<(i64, i64), sqlx::Error> {
        sqlx::query_as(include_str!("count_open.sql")).bind(now.to_utc()).fetch_one(&self.pool).await
    }
}
