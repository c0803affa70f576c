//! Which movements of credits did an account have, line by line?
//!
//! A line's `amount` is what it adds to the available and frozen credits, so the lines of an account sum to those.
//! A commit of a hold has two lines: the hold is returned, and the usage is deducted.
//! The balance after each line is computed backwards from the balance after the event.

mod lines;
mod queries;

use crate::domain::recorded::RecordedEvent;
use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use super::{
    projection::{ApplyError, Projection, Tables},
    rows::Rows,
};

pub use lines::LineKind;
pub use queries::{
    Direction, Filter, LINES_MAX, StatementCursor, StatementRow, csv_header, csv_row, export, page,
};

const COLUMNS: i16 = 15;

pub struct Statements;

impl Projection for Statements {
    fn name(&self) -> &'static str {
        "statements"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["statements"]
    }

    fn totals(&self) -> &'static str {
        include_str!("totals.sql")
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            // Sorted, so that the lines of one account are written to the same pages of the table and of its index.
            let mut sorted: Vec<&RecordedEvent> = events.to_vec();
            sorted.sort_unstable_by_key(|recorded| (&recorded.account, recorded.sequence));
            let mut rows = Rows::new(COLUMNS);
            for recorded in sorted {
                lines::write(recorded, &mut rows);
            }
            rows.write(&tables.statement(include_str!("insert.sql")), connection).await?;
            Ok(())
        }
        .boxed()
    }
}
