//! What moved on an account, line by line, from the first credit to the last?
//!
//! A line's `amount` is what it adds to the available credits, so the lines of an account sum up to its balance. A
//! commit of a hold makes two lines: the hold is returned, and the usage is taken. The balance after each line is
//! counted back from the balance that the event carries.

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
            // Sorted, so that one account's lines find the same page of the table and of its index.
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
