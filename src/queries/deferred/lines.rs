//! How are figures of deferred revenue written as the lines of a CSV file?

use crate::projections::deferred::DeferredFlow;

use super::DeferredInterval;

/// The names of the columns of [`deferred_lines`]. Amounts are in minor units.
pub const DEFERRED_COLUMNS: [&str; 5] = ["currency", "start", "source", "type", "amount"];

/// Of each interval the stock at its start, each flow, and the stock at its end.
#[must_use]
pub fn deferred_lines(intervals: &[DeferredInterval]) -> Vec<[String; 5]> {
    let mut lines = Vec::new();
    for DeferredInterval { currency, days: (start, _), opening, flows, contra, closing } in intervals {
        let line = |source: &str, kind: &str, minor: i128| {
            [currency.clone(), start.to_string(), source.to_owned(), kind.to_owned(), minor.to_string()]
        };
        let flow = |flow: &DeferredFlow| line(flow.source.name(), flow.kind.name(), flow.minor);
        lines.push(line("", "opening", *opening));
        lines.extend(flows.iter().map(flow));
        lines.push(line("", "closing", *closing));
        lines.extend(contra.iter().map(flow));
    }
    lines
}
