//! How are figures of credits written as the lines of a CSV file?

use crate::{
    projections::credits::{CreditFlow, CreditStock},
    queries::csv::as_text,
};

use super::CreditInterval;

/// The names of the columns of [`credit_lines`].
pub const CREDIT_COLUMNS: [&str; 7] =
    ["start", "type", "generation_type", "count", "available", "held", "debt"];

/// Of each interval the stock at its start, each flow, and the stock at its end.
#[must_use]
pub fn credit_lines(intervals: &[CreditInterval]) -> Vec<[String; 7]> {
    let mut lines = Vec::new();
    for CreditInterval { days: (start, _), opening, flows, closing } in intervals {
        let line = |kind: &str, of: &str, count: Option<i64>, change: &CreditStock| {
            let count = count.map(|count| count.to_string()).unwrap_or_default();
            let [available, held, debt] = [change.available, change.held, change.debt];
            let [available, held, debt] = [available.to_string(), held.to_string(), debt.to_string()];
            [start.to_string(), kind.to_owned(), as_text(of), count, available, held, debt]
        };
        lines.push(line("opening", "", None, opening));
        let flow =
            |flow: &CreditFlow| line(&flow.kind, &flow.generation_type, Some(flow.count), &flow.change);
        lines.extend(flows.iter().map(flow));
        lines.push(line("closing", "", None, closing));
    }
    lines
}
