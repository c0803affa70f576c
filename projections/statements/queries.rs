//! Which lines does a page of a statement have, or all of it?

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use futures::{Stream, StreamExt};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value},
};
use sqlx::{FromRow, PgPool};

use crate::domain::{
    ids::{AccountId, GenerationId, GenerationType},
    time::Timestamp,
};

use super::lines::LineKind;

/// The longest page.
pub const LINES_MAX: i64 = 1_000;

/// Which lines are requested. Fields that are `None` do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these kinds; all if empty.
    pub kinds: Vec<LineKind>,
    /// Effective at this time or later.
    pub from: Option<Timestamp>,
    /// Effective before this time.
    pub until: Option<Timestamp>,
    pub generation_id: Option<GenerationId>,
    pub generation_type: Option<GenerationType>,
}

/// The place of a line on the statement. A page begins after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementCursor {
    pub sequence: i64,
    pub line: i16,
}

impl StatementCursor {
    /// The text for callers.
    #[must_use]
    pub fn token(self) -> String {
        format!("{}.{}", self.sequence, self.line)
    }

    /// `None`: it was not made by [`StatementCursor::token`].
    #[must_use]
    pub fn parse(token: &str) -> Option<Self> {
        let (sequence, line) = token.split_once('.')?;
        Some(Self { sequence: sequence.parse().ok()?, line: line.parse().ok()? })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    NewestFirst,
    OldestFirst,
}

/// One line, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct StatementRow {
    pub sequence: i64,
    pub line: i16,
    pub position: i64,
    pub effective_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    /// The name of a [`LineKind`].
    pub kind: String,
    pub amount: i64,
    pub available: i64,
    pub held: i64,
    pub debt: i64,
    pub grant_ids: Vec<String>,
    pub description: Option<String>,
    pub generation_id: Option<String>,
    pub generation_type: Option<String>,
}

impl StatementRow {
    #[must_use]
    pub const fn cursor(&self) -> StatementCursor {
        StatementCursor { sequence: self.sequence, line: self.line }
    }

    /// The description for people: the text of the event, else the type of generation, else the description of the
    /// line's kind.
    #[must_use]
    pub fn words(&self) -> &str {
        let said = self.description.as_deref().filter(|said| !said.is_empty());
        let kind = || {
            let kind: Result<LineKind, value::Error> =
                LineKind::deserialize(self.kind.as_str().into_deserializer());
            kind.map_or("", LineKind::description)
        };
        said.or(self.generation_type.as_deref()).unwrap_or_else(kind)
    }

    /// The month of its effective time in a time zone, such as `2025-06`.
    #[must_use]
    pub fn period(&self, zone: Tz) -> String {
        self.effective_at.with_timezone(&zone).format("%Y-%m").to_string()
    }
}

type Lines<'q> = sqlx::query::QueryAs<'q, sqlx::Postgres, StatementRow, sqlx::postgres::PgArguments>;

fn narrowed<'q>(statement: &'q str, account: &'q AccountId, filter: &'q Filter) -> Lines<'q> {
    let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.name()).collect();
    sqlx::query_as(statement)
        .bind(account.as_str())
        .bind(kinds)
        .bind(filter.from.map(Timestamp::to_utc))
        .bind(filter.until.map(Timestamp::to_utc))
        .bind(filter.generation_id.as_ref().map(GenerationId::as_str))
        .bind(filter.generation_type.as_ref().map(GenerationType::as_str))
}

/// At most `limit` lines (and never more than [`LINES_MAX`]) after `after`, in the given direction.
///
/// # Errors
/// If the database does not answer.
pub async fn page(
    pool: &PgPool,
    account: &AccountId,
    filter: &Filter,
    direction: Direction,
    after: Option<StatementCursor>,
    limit: i64,
) -> Result<Vec<StatementRow>, sqlx::Error> {
    let (statement, start) = match direction {
        Direction::NewestFirst => {
            (include_str!("newest_first.sql"), StatementCursor { sequence: i64::MAX, line: i16::MAX })
        }
        Direction::OldestFirst => {
            (include_str!("oldest_first.sql"), StatementCursor { sequence: 0, line: -1 })
        }
    };
    let after = after.unwrap_or(start);
    narrowed(statement, account, filter)
        .bind(after.sequence)
        .bind(after.line)
        .bind(limit.clamp(1, LINES_MAX))
        .fetch_all(pool)
        .await
}

/// All requested lines, oldest first, read page by page, for a CSV file.
pub fn export(
    pool: PgPool,
    account: AccountId,
    filter: Filter,
) -> impl Stream<Item = Result<StatementRow, sqlx::Error>> + Send {
    let start = Some(StatementCursor { sequence: 0, line: -1 });
    futures::stream::unfold(start, move |after| {
        let (pool, account, filter) = (pool.clone(), account.clone(), filter.clone());
        async move {
            let after = after?;
            match page(&pool, &account, &filter, Direction::OldestFirst, Some(after), LINES_MAX).await {
                Ok(lines) => {
                    let next = lines.last().map(StatementRow::cursor);
                    Some((lines.into_iter().map(Ok).collect::<Vec<_>>(), next))
                }
                Err(error) => Some((vec![Err(error)], None)),
            }
        }
    })
    .flat_map(futures::stream::iter)
}

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
pub fn csv_row(line: &StatementRow, zone: Tz) -> [String; 14] {
    [
        line.sequence.to_string(),
        line.line.to_string(),
        Timestamp::from(line.effective_at).to_string(),
        Timestamp::from(line.recorded_at).to_string(),
        line.period(zone),
        line.kind.clone(),
        line.amount.to_string(),
        line.available.to_string(),
        line.held.to_string(),
        line.debt.to_string(),
        as_text(&line.grant_ids.join(" ")),
        as_text(line.words()),
        as_text(line.generation_id.as_deref().unwrap_or_default()),
        as_text(line.generation_type.as_deref().unwrap_or_default()),
    ]
}

/// Adds an apostrophe to a text that a spreadsheet would read as a formula, so that nothing is executed when the file
/// is opened.
fn as_text(words: &str) -> String {
    let runs = words.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if runs { format!("'{words}") } else { words.to_owned() }
}
