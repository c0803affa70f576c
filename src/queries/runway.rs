//! How long do an account's credits last, if they are used as in the last seven days?

use chrono::TimeDelta;

use crate::{
    domain::{
        amount::Credits,
        ids::AccountId,
        recorded::JournalPositions,
        runway::{RUNWAY_DAYS, Runway, runway},
        time::Timestamp,
    },
    projections::usage,
};

use super::{Freshness, QueryError, ReportSource, account_now};

const MODEL: &str = "usage";

/// How long an account's credits last.
pub struct RunwayReport {
    /// What can be spent now.
    pub available: Credits,
    /// In the last seven days.
    pub used: Credits,
    pub runway: Runway,
    /// When the plan gives the next credits. `None`: none follow.
    pub next_credits_at: Option<Timestamp>,
    pub freshness: Freshness,
}

/// # Errors
/// If there is no such account, the read model does not reach the position in time, or the database does not answer.
pub async fn account_runway(
    source: ReportSource<'_>,
    account: &AccountId,
    min_position: Option<&JournalPositions>,
) -> Result<RunwayReport, QueryError> {
    let freshness = source.wait(MODEL, Some(account), min_position).await?;
    let now = account_now(source.ledger, account).await?;
    let opened = now.account.opened().ok_or(QueryError::AccountNotFound)?;
    let week = (now.at.minus(TimeDelta::days(RUNWAY_DAYS)), now.at);
    let used = usage::used_between(source.pool, source.ledger.shard_of(account), account, week).await?;
    Ok(RunwayReport {
        available: opened.wallet.balance(now.at).available,
        used,
        runway: runway(&opened.wallet, used, now.at),
        next_credits_at: now.next_credits_at(source.ledger.catalog()),
        freshness,
    })
}
