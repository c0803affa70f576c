//! What did one account pay in advance?

use crate::{
    domain::{
        ids::{AccountId, GrantId},
        recorded::JournalPositions,
    },
    projections::deferred::{self, DeferredLot, EarningSpanRow},
};

use super::{
    super::{Freshness, QueryError, ReportSource},
    MODEL,
};

/// A page of lots, by grant.
pub struct LotPage {
    pub lots: Vec<DeferredLot>,
    pub is_last: bool,
    pub freshness: Freshness,
}

/// A page of the times over which money is earned.
pub struct PeriodPage {
    pub periods: Vec<EarningSpanRow>,
    pub is_last: bool,
    pub freshness: Freshness,
}

/// The credits that an account paid for, from the grant after `after` on.
///
/// # Errors
/// If there is no such account, the read model does not reach the position in time, or the database does not answer.
pub async fn lots_of(
    source: ReportSource<'_>,
    account: &AccountId,
    (after, limit): (Option<&GrantId>, i64),
    min_position: Option<&JournalPositions>,
) -> Result<LotPage, QueryError> {
    let freshness = source.wait(MODEL, Some(account), min_position).await?;
    let of = (source.ledger.shard_of(account), account);
    let lots = deferred::lots(source.pool, of, after.map(GrantId::as_str), limit).await?;
    if lots.is_empty() {
        source.require_account(account).await?;
    }
    let is_last = i64::try_from(lots.len()) != Ok(limit);
    Ok(LotPage { lots, is_last, freshness })
}

/// The times over which the money of an account's subscriptions is earned, from the one after `after` on.
///
/// # Errors
/// If there is no such account, the read model does not reach the position in time, or the database does not answer.
pub async fn periods_of(
    source: ReportSource<'_>,
    account: &AccountId,
    (after, limit): (Option<i32>, i64),
    min_position: Option<&JournalPositions>,
) -> Result<PeriodPage, QueryError> {
    let freshness = source.wait(MODEL, Some(account), min_position).await?;
    let of = (source.ledger.shard_of(account), account);
    let periods = deferred::spans(source.pool, of, after, limit).await?;
    if periods.is_empty() {
        source.require_account(account).await?;
    }
    let is_last = i64::try_from(periods.len()) != Ok(limit);
    Ok(PeriodPage { periods, is_last, freshness })
}
