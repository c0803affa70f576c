//! Which calls were made to Stripe, and what is their outcome?
//! Each is stored before it is sent, so that nothing is done twice.

mod open_calls;
mod operation;
mod turn;
mod two;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgConnection, PgPool, types::Json};

pub use open_calls::{CallAttempt, DueCall, KEY_LIVES, PAGES_KEPT, RESOLVE_AFTER};
pub(in crate::stripe) use operation::for_each_operation;
pub use operation::{Operation, UnknownOutcome};
pub use turn::{CallTurn, SoldLately};
pub use two::{Two, TwoSettled};

use super::{client::Rejection, documents::StripeKey};
use crate::domain::{
    ids::{AccountId, Actor},
    time::Timestamp,
};

/// The table of calls. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Calls {
    pool: PgPool,
}

/// A call: for an account, of an operation, under the caller's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallId {
    pub account: AccountId,
    pub operation: Operation,
    pub key: String,
}

/// A call as it is stored.
#[derive(Debug)]
pub struct StoredCall<R, A> {
    pub key: StripeKey,
    /// A hash of the caller's request.
    pub asked: [u8; 32],
    pub request: R,
    pub outcome: CallOutcome<A>,
    /// Whether Stripe may have got the request.
    pub asked_before: bool,
    pub begun: CallStart,
}

/// When a call was stored, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallStart {
    pub at: Timestamp,
    /// `None`: it was not for a change of a subscription, or an earlier release stored it.
    pub by: Option<Actor>,
}

/// How far a call has come.
#[derive(Debug)]
pub enum CallOutcome<A> {
    /// Not sent yet, or with an unknown outcome.
    Open,
    Done(A),
    Rejected(Rejection),
    /// The outcome can no longer be found out.
    Lost,
}

#[derive(Debug, thiserror::Error)]
pub enum CallsError {
    #[error("the calls to Stripe cannot be read or written")]
    Storage(#[from] sqlx::Error),
    #[error("a stored call to Stripe cannot be read")]
    Unreadable(#[from] serde_json::Error),
}

#[derive(FromRow)]
struct CallRow {
    stripe_key: String,
    asked: Vec<u8>,
    request: Json<serde_json::Value>,
    state: String,
    answer: Option<Json<serde_json::Value>>,
    begun_at: DateTime<Utc>,
    actor: Option<String>,
}

impl CallId {
    /// The call's key at Stripe, the same for every attempt.
    /// Each part is hashed with its length, so that different calls always have different keys.
    #[must_use]
    pub fn stripe_key(&self) -> StripeKey {
        let mut hasher = Sha256::new();
        for part in [self.account.as_str(), self.operation.as_str(), &self.key] {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        StripeKey::of(&hasher.finalize())
    }
}

impl Calls {
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The call with this id, if it was ever begun.
    ///
    /// # Errors
    /// If the database does not answer, or the stored call cannot be read.
    pub async fn find<R: DeserializeOwned, A: DeserializeOwned>(
        &self,
        id: &CallId,
    ) -> Result<Option<StoredCall<R, A>>, CallsError> {
        let row: Option<CallRow> = sqlx::query_as(include_str!("find.sql"))
            .bind(id.account.as_str())
            .bind(id.operation.as_str())
            .bind(&id.key)
            .fetch_optional(&self.pool)
            .await?;
        row.map(read).transpose()
    }

    /// Stores what is about to be requested. `false`: it was stored before.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn begin<R: Serialize + Sync>(
        &self,
        id: &CallId,
        asked: &[u8; 32],
        request: &R,
        begun: &CallStart,
    ) -> Result<bool, CallsError> {
        let begun = sqlx::query(include_str!("begin.sql"))
            .bind(id.account.as_str())
            .bind(id.operation.as_str())
            .bind(&id.key)
            .bind(id.stripe_key().as_str())
            .bind(asked.as_slice())
            .bind(Json(request))
            .bind(begun.at.to_utc())
            .bind(begun.by.as_ref().map(Actor::as_str))
            .execute(&self.pool)
            .await?;
        Ok(begun.rows_affected() == 1)
    }

    /// Who requested the calls with these keys at Stripe.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn askers(
        connection: &mut PgConnection,
        keys: &[&str],
    ) -> Result<BTreeMap<String, Actor>, sqlx::Error> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<(String, String)> =
            sqlx::query_as(include_str!("askers.sql")).bind(keys).fetch_all(connection).await?;
        let known = rows.into_iter().filter_map(|(key, actor)| Some((key, Actor::parse(&actor).ok()?)));
        Ok(known.collect())
    }

    /// Stores what Stripe answered.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn done<A: Serialize + Sync>(
        &self,
        id: &CallId,
        answer: &A,
        at: Timestamp,
    ) -> Result<(), CallsError> {
        self.settle(id, "done", answer, at).await
    }

    /// Stores why Stripe refused.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn rejected(&self, id: &CallId, why: &Rejection, at: Timestamp) -> Result<(), CallsError> {
        self.settle(id, "rejected", why, at).await
    }

    async fn settle<A: Serialize + Sync>(
        &self,
        id: &CallId,
        state: &str,
        answer: &A,
        at: Timestamp,
    ) -> Result<(), CallsError> {
        sqlx::query(include_str!("settle.sql"))
            .bind(id.account.as_str())
            .bind(id.operation.as_str())
            .bind(&id.key)
            .bind(state)
            .bind(Json(answer))
            .bind(at.to_utc())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Deletes a call that was stored and never sent.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn withdraw(&self, id: &CallId) -> Result<(), sqlx::Error> {
        let withdraw =
            sqlx::query(include_str!("withdraw.sql")).bind(id.account.as_str()).bind(id.operation.as_str());
        withdraw.bind(&id.key).execute(&self.pool).await?;
        Ok(())
    }

    /// When the `nth` latest call of an operation was begun, counted from 1, if that was after `since`.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn nth_begun(
        &self,
        id: &CallId,
        nth: i64,
        since: Timestamp,
    ) -> Result<Option<DateTime<Utc>>, CallsError> {
        let begun = sqlx::query_scalar(include_str!("nth_begun.sql"))
            .bind(id.account.as_str())
            .bind(id.operation.as_str())
            .bind(since.to_utc())
            .bind(nth.saturating_sub(1))
            .fetch_optional(&self.pool)
            .await?;
        Ok(begun)
    }
}

fn read<R: DeserializeOwned, A: DeserializeOwned>(row: CallRow) -> Result<StoredCall<R, A>, CallsError> {
    let CallRow { stripe_key, asked, request: Json(request), state, answer, begun_at, actor } = row;
    let answer = answer.map_or(serde_json::Value::Null, |Json(answer)| answer);
    let asked_before = state != "untouched";
    let outcome = match state.as_str() {
        "done" => CallOutcome::Done(serde_json::from_value(answer)?),
        "rejected" => CallOutcome::Rejected(serde_json::from_value(answer)?),
        "lost" => CallOutcome::Lost,
        _ => CallOutcome::Open,
    };
    let asked = asked.first_chunk::<32>().copied().unwrap_or_default();
    let request = serde_json::from_value(request)?;
    let by = actor.and_then(|actor| Actor::parse(&actor).ok());
    let begun = CallStart { at: begun_at.into(), by };
    Ok(StoredCall { key: StripeKey::new(stripe_key), asked, request, outcome, asked_before, begun })
}
