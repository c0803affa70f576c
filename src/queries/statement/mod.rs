//! Where did an account's credits come from, and where did they go? A page of its movements, or all of them.
//!
//! A line's `amount` is what it adds to the available and frozen credits, so the lines of an account sum to those.
//! A commit of a hold has two lines: the hold is returned, and the usage is deducted.
//! Lines are computed from the account's own events when they are read, so they are never behind the journal.

mod csv;
mod lines;
mod page;

use futures::{Stream, StreamExt, stream};

use crate::{
    domain::{ids::AccountId, recorded::JournalPositions},
    ledger::View,
};

pub use csv::{csv_header, csv_row};
pub use lines::{StatementLine, lines_of};
pub use page::{
    Direction, EVENTS_SEARCHED_MAX, Filter, LINES_MAX, Lines, StatementCursor, StatementOf, StatementPart,
};

use super::{Freshness, QueryError, ReportSource, require_known};

/// A page of an account's movements, in order.
pub struct StatementPage {
    pub lines: Vec<StatementLine>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<StatementCursor>,
    pub freshness: Freshness,
}

/// # Errors
/// If there is no such account or position, or the database does not answer.
pub async fn statement_page(
    from: ReportSource<'_>,
    (account, filter): (&AccountId, &Filter),
    part: StatementPart,
    min_position: Option<&JournalPositions>,
) -> Result<StatementPage, QueryError> {
    let view = existing(from, account, min_position).await?;
    let of = StatementOf { pool: from.pool, shard: view.position.shard, account, last: view.sequence };
    let Lines { lines, next } = of.page(filter, part).await?;
    Ok(StatementPage { lines, next, freshness: Freshness::of_journal(view.position) })
}

/// All requested movements, oldest first, with their freshness.
///
/// # Errors
/// If there is no such account or position, or the database does not answer.
pub async fn statement_export(
    from: ReportSource<'_>,
    account: AccountId,
    filter: Filter,
    min_position: Option<&JournalPositions>,
) -> Result<(impl Stream<Item = Result<StatementLine, QueryError>> + Send + use<>, Freshness), QueryError> {
    let view = existing(from, &account, min_position).await?;
    let (pool, shard, last) = (from.pool.clone(), view.position.shard, view.sequence);
    let start = StatementPart { direction: Direction::OldestFirst, after: None, limit: LINES_MAX };
    let pages = stream::unfold(Some(start), move |part| {
        let (pool, account, filter) = (pool.clone(), account.clone(), filter.clone());
        async move {
            let part = part?;
            let of = StatementOf { pool: &pool, shard, account: &account, last };
            match of.page(&filter, part).await {
                Ok(Lines { lines, next }) => {
                    let next = next.map(|next| StatementPart { after: Some(next), ..part });
                    Some((lines.into_iter().map(Ok).collect::<Vec<_>>(), next))
                }
                Err(error) => Some((vec![Err(error.into())], None)),
            }
        }
    });
    Ok((pages.flat_map(stream::iter), Freshness::of_journal(view.position)))
}

/// The account as it is now, which has everything up to `min_position`.
async fn existing(
    from: ReportSource<'_>,
    account: &AccountId,
    min_position: Option<&JournalPositions>,
) -> Result<View, QueryError> {
    // Before the account is read, which then has everything up to there.
    require_known(from.ledger, min_position).await?;
    let view = from.ledger.view(account).await?;
    if view.account.opened().is_none() {
        return Err(QueryError::AccountNotFound);
    }
    Ok(view)
}
