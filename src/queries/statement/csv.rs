//! How is a line written to a CSV file that a spreadsheet may open?

use chrono_tz::Tz;

use crate::domain::ids::{GenerationId, GenerationType, GrantId};

use super::lines::StatementLine;
use crate::queries::csv::as_text;

/// The names of the columns of [`csv_row`].
#[must_use]
pub const fn csv_header() -> [&'static str; 14] {
    [
        "sequence",
        "line",
        "effective_at",
        "recorded_at",
        "period",
        "type",
        "amount",
        "available",
        "held",
        "debt",
        "grant_ids",
        "description",
        "generation_id",
        "generation_type",
    ]
}

/// A line as the fields of a CSV record, with the month in a time zone. Only texts of callers are escaped.
#[must_use]
pub fn csv_row(line: &StatementLine, zone: Tz) -> [String; 14] {
    [
        line.sequence.to_string(),
        line.line.to_string(),
        line.effective_at.to_string(),
        line.recorded_at.to_string(),
        line.period(zone),
        line.kind.name().to_owned(),
        line.amount.to_string(),
        line.available.to_string(),
        line.held.to_string(),
        line.debt.to_string(),
        as_text(&line.grants.iter().map(GrantId::as_str).collect::<Vec<_>>().join(" ")),
        as_text(line.words()),
        as_text(line.generation_id.as_ref().map_or("", GenerationId::as_str)),
        as_text(line.generation_type.as_ref().map_or("", GenerationType::as_str)),
    ]
}
