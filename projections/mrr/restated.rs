//! When was a figure of some days last changed after they were over?

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sqlx::PgExecutor;

use crate::domain::{amount::Currency, time::Timestamp};

use super::{queries::MovementSelection, sums::month};

/// When the MRR of the days from `from` until before `until` was last changed after they were over: by a change of
/// one of these days or of an earlier one, in one currency or in any.
///
/// # Errors
/// If the database does not answer.
pub async fn restated_balances(
    executor: impl PgExecutor<'_>,
    from: NaiveDate,
    until: NaiveDate,
    currency: Option<&Currency>,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let at: Option<DateTime<Utc>> = sqlx::query_scalar(include_str!("restated.sql"))
        .bind(month(until))
        .bind(until)
        .bind(currency.map(Currency::as_str))
        .fetch_one(executor)
        .await?;
    // What changed before the days began was not a change of what anybody had read of them.
    let begin = from.and_time(NaiveTime::MIN).and_utc();
    Ok(at.filter(|at| *at >= begin).map(Timestamp::from))
}

/// When a movement of the selected days was last changed after its day was over, of whatever kind.
///
/// # Errors
/// If the database does not answer.
pub async fn restated_days(
    executor: impl PgExecutor<'_>,
    selection: MovementSelection<'_>,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let MovementSelection { from, until, account, currency, .. } = selection;
    let statement = match account {
        Some(_) => include_str!("restated_of_account.sql"),
        None => include_str!("restated_days.sql"),
    };
    let asked = sqlx::query_scalar(statement).bind(from).bind(until).bind(currency.map(Currency::as_str));
    let asked = match account {
        Some((shard, account)) => asked.bind(shard.0).bind(account.as_str()),
        None => asked,
    };
    let at: Option<DateTime<Utc>> = asked.fetch_one(executor).await?;
    Ok(at.map(Timestamp::from))
}
