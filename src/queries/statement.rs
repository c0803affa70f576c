//! Where did an account's credits come from, and where did they go? A page of its movements, or all of them.

use futures::Stream;

use crate::{
    domain::{ids::AccountId, recorded::JournalPosition},
    projections::statements::{self, Direction, Filter, StatementCursor, StatementRow},
};

use super::{Freshness, QueryError, ReportSource};

const MODEL: &str = "statements";

/// A page of an account's movements, in order.
pub struct StatementPage {
    pub lines: Vec<StatementRow>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<StatementCursor>,
    pub freshness: Freshness,
}

/// Which part of a statement is requested: the direction, the line to begin after, and how many lines.
#[derive(Clone, Copy, Debug)]
pub struct StatementPart {
    pub direction: Direction,
    pub after: Option<StatementCursor>,
    pub limit: usize,
}

/// # Errors
/// If there is no such account, the read model does not reach the position in time, or the database does not answer.
pub async fn statement_page(
    from: ReportSource<'_>,
    (account, filter): (&AccountId, &Filter),
    part: StatementPart,
    min_position: Option<JournalPosition>,
) -> Result<StatementPage, QueryError> {
    let freshness = from.wait(MODEL, Some(account), min_position).await?;
    let StatementPart { direction, after, limit } = part;
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let lines = statements::page(from.pool, account, filter, direction, after, rows).await?;
    if lines.is_empty() {
        from.require_account(account).await?;
    }
    let next = lines.last().filter(|_| lines.len() == limit).map(StatementRow::cursor);
    Ok(StatementPage { lines, next, freshness })
}

/// All requested movements, oldest first, with their freshness.
///
/// # Errors
/// If there is no such account, the read model does not reach the position in time, or the database does not answer.
pub async fn statement_export(
    from: ReportSource<'_>,
    account: AccountId,
    filter: Filter,
    min_position: Option<JournalPosition>,
) -> Result<(impl Stream<Item = Result<StatementRow, sqlx::Error>> + Send + use<>, Freshness), QueryError> {
    let freshness = from.wait(MODEL, Some(&account), min_position).await?;
    from.require_account(&account).await?;
    Ok((statements::export(from.pool.clone(), account, filter), freshness))
}
