//! Which calls have an unknown outcome, and what is done about them?

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;

use super::{CallId, Calls, Operation};
use crate::{
    domain::{ids::AccountId, time::Timestamp},
    queue::Backoff,
};

/// How long a key can be sent to Stripe again. Stripe documents a day; after that, the call could happen twice.
pub const KEY_LIVES: TimeDelta = TimeDelta::hours(23);
/// How long an attempt may take before the program itself follows it up: longer than a client retries.
pub const RESOLVE_AFTER: TimeDelta = TimeDelta::seconds(60);
/// How long a claim lasts, during which no other instance follows up the call.
const ASK_AGAIN: Backoff = Backoff { delay_s_min: 60, delay_s_max: 3_600 };
/// How long the key of a page is remembered. A page that is opened again after that does nothing by itself.
pub const PAGES_KEPT: TimeDelta = TimeDelta::days(90);

/// One attempt to call Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallAttempt {
    /// Whether an earlier attempt has an unknown outcome.
    pub again: bool,
    /// When the first attempt was made.
    since: Timestamp,
    number: i32,
}

/// A call that is due to be followed up.
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
    /// `None`: the stored account id is not valid.
    #[must_use]
    pub fn id(&self, operation: Operation) -> Option<CallId> {
        let account = AccountId::parse(&self.account).ok()?;
        Some(CallId { account, operation, key: self.key.clone() })
    }
}

impl Calls {
    /// Stores that Stripe is about to be called. `None`: the outcome is known already.
    ///
    /// # Errors
    /// If the database does not answer.
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

    /// Stores that nothing has happened, if that is known of every attempt. `false`: it is not.
    ///
    /// # Errors
    /// If the database does not answer.
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

    /// Claims up to `max` calls that are due. No other instance gets them for a while.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn claim(&self, now: Timestamp, max: i64) -> Result<Vec<DueCall>, sqlx::Error> {
        let claim = sqlx::query(include_str!("claim.sql")).bind(now.to_utc()).bind(max);
        let rows = claim.bind(ASK_AGAIN.delays_s()).fetch_all(&self.pool).await?;
        let due = rows.into_iter().map(|row| {
            Ok(DueCall { account: row.try_get(0)?, operation: row.try_get(1)?, key: row.try_get(2)? })
        });
        due.collect()
    }

    /// Stores that the outcome under this key can no longer be found out.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn mark_lost(&self, id: &CallId, now: Timestamp) -> Result<(), sqlx::Error> {
        let lose =
            sqlx::query(include_str!("mark_lost.sql")).bind(id.account.as_str()).bind(id.operation.as_str());
        lose.bind(&id.key).bind(now.to_utc()).execute(&self.pool).await?;
        Ok(())
    }

    /// Deletes a call with an unknown outcome, so that it can be begun again.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn forget(&self, id: &CallId) -> Result<(), sqlx::Error> {
        let forget =
            sqlx::query(include_str!("forget.sql")).bind(id.account.as_str()).bind(id.operation.as_str());
        forget.bind(&id.key).execute(&self.pool).await?;
        Ok(())
    }

    /// Deletes up to `max` pages that are older than [`PAGES_KEPT`], and returns how many.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn forget_pages(&self, now: Timestamp, max: i64) -> Result<u64, sqlx::Error> {
        let forget = sqlx::query(include_str!("forget_pages.sql")).bind(now.minus(PAGES_KEPT).to_utc());
        Ok(forget.bind(max).execute(&self.pool).await?.rows_affected())
    }

    /// How many calls are open, and for how many seconds the oldest has been.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn count_open(&self, now: Timestamp) -> Result<(i64, i64), sqlx::Error> {
        sqlx::query_as(include_str!("count_open.sql")).bind(now.to_utc()).fetch_one(&self.pool).await
    }
}
