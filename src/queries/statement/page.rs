//! Which lines does a page of a statement have, or all of it? They follow from the account's own events.

use std::collections::BTreeSet;

use sqlx::PgPool;
use strum::IntoEnumIterator;

use crate::{
    domain::{
        ids::{AccountId, GenerationId, GenerationType},
        recorded::{RecordedEvent, Shard},
        statement::LineKind,
        time::Timestamp,
    },
    journal::{
        history::{self, HistoryEnd},
        load::LoadError,
    },
};

use super::lines::{StatementLine, lines_of};

/// The longest page.
pub const LINES_MAX: usize = 1_000;

/// How many events one page is looked for in. Where fewer lines match, the page has fewer, and the next one goes on.
pub const EVENTS_SEARCHED_MAX: i64 = 50_000;

/// How many events are read at once.
const EVENTS_READ_MAX: i64 = 5_000;

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

impl Filter {
    fn has(&self, line: &StatementLine) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&line.kind))
            && self.from.is_none_or(|from| line.effective_at >= from)
            && self.until.is_none_or(|until| line.effective_at < until)
            && self.generation_id.as_ref().is_none_or(|id| line.generation_id.as_ref() == Some(id))
            && self.generation_type.as_ref().is_none_or(|kind| line.generation_type.as_ref() == Some(kind))
    }

    /// The types of the events that can have such a line.
    fn event_types(&self) -> Vec<&'static str> {
        let types = |kind: LineKind| kind.event_types().iter().copied();
        let types: BTreeSet<&str> = if self.kinds.is_empty() {
            LineKind::iter().flat_map(types).collect()
        } else {
            self.kinds.iter().copied().flat_map(types).collect()
        };
        types.into_iter().collect()
    }
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

/// Which part of a statement is requested: the direction, the line to begin after, and how many lines.
#[derive(Clone, Copy, Debug)]
pub struct StatementPart {
    pub direction: Direction,
    pub after: Option<StatementCursor>,
    pub limit: usize,
}

/// Lines in the requested direction.
#[derive(Clone, Debug)]
pub struct Lines {
    pub lines: Vec<StatementLine>,
    /// Where the next page begins. `None`: there are no more lines.
    pub next: Option<StatementCursor>,
}

/// An account whose statement is read, as far as its `last` event.
#[derive(Clone, Copy, Debug)]
pub struct StatementOf<'a> {
    pub pool: &'a PgPool,
    pub shard: Shard,
    pub account: &'a AccountId,
    pub last: i64,
}

/// Events in the requested direction, and the sequence to go on with, if there may be more.
struct Found {
    events: Vec<RecordedEvent>,
    next: Option<i64>,
}

impl StatementOf<'_> {
    /// At most `part.limit` lines (and never more than [`LINES_MAX`]).
    ///
    /// # Errors
    /// If the database does not answer, or an event cannot be read.
    pub async fn page(self, filter: &Filter, part: StatementPart) -> Result<Lines, LoadError> {
        let limit = part.limit.min(LINES_MAX);
        let first = match part.direction {
            Direction::OldestFirst => part.after.map_or(1, |after| after.sequence),
            Direction::NewestFirst => part.after.map_or(self.last, |after| after.sequence.min(self.last)),
        };
        let (mut lines, mut from, mut searched) = (Vec::new(), first, 0_i64);
        // Most events have one line.
        let mut count = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        loop {
            let found = self.events(filter, part.direction, from, count).await?;
            for line in found.events.iter().flat_map(|event| part.direction.in_order(lines_of(event))) {
                if part.is_wanted(&line) && filter.has(&line) {
                    if lines.len() == limit {
                        let next = lines.last().map(StatementLine::cursor);
                        return Ok(Lines { lines, next });
                    }
                    lines.push(line);
                }
            }
            let Some(next) = found.next else { return Ok(Lines { lines, next: None }) };
            searched = searched.saturating_add(count);
            if searched >= EVENTS_SEARCHED_MAX {
                return Ok(Lines { lines, next: Some(part.direction.before(next)) });
            }
            (from, count) = (next, count.saturating_mul(2).min(EVENTS_READ_MAX));
        }
    }

    /// The next `count` events that may have lines, or those among the next `count` of all.
    async fn events(
        self,
        filter: &Filter,
        direction: Direction,
        from: i64,
        count: i64,
    ) -> Result<Found, LoadError> {
        let Self { pool, shard, account, last } = self;
        let reach = count.saturating_sub(1);
        let (all, some) = match direction {
            Direction::OldestFirst => (from..=last, from..=from.saturating_add(reach).min(last)),
            Direction::NewestFirst => (1..=from, from.saturating_sub(reach).max(1)..=from),
        };
        let (mut events, next) = if let Some(generation) = &filter.generation_id {
            let end = match direction {
                Direction::OldestFirst => HistoryEnd::First,
                Direction::NewestFirst => HistoryEnd::Last,
            };
            let events = history::of_generation(pool, shard, account, generation, all, (end, count)).await?;
            let is_full = i64::try_from(events.len()).is_ok_and(|found| found >= count);
            let furthest = match direction {
                Direction::OldestFirst => events.last().map(|event| event.sequence.saturating_add(1)),
                Direction::NewestFirst => events.first().map(|event| event.sequence.saturating_sub(1)),
            };
            (events, furthest.filter(|_| is_full))
        } else {
            let next = match direction {
                Direction::OldestFirst => some.end().saturating_add(1),
                Direction::NewestFirst => some.start().saturating_sub(1),
            };
            let events = history::of_account(pool, shard, account, &filter.event_types(), some).await?;
            (events, Some(next))
        };
        if direction == Direction::NewestFirst {
            events.reverse();
        }
        Ok(Found { events, next: next.filter(|next| (1..=last).contains(next)) })
    }
}

impl StatementPart {
    fn is_wanted(&self, line: &StatementLine) -> bool {
        self.after.is_none_or(|after| match self.direction {
            Direction::OldestFirst => line.cursor() > after,
            Direction::NewestFirst => line.cursor() < after,
        })
    }
}

impl Direction {
    fn in_order(self, mut lines: Vec<StatementLine>) -> Vec<StatementLine> {
        if self == Self::NewestFirst {
            lines.reverse();
        }
        lines
    }

    /// The place before all lines of an event, in this direction.
    const fn before(self, sequence: i64) -> StatementCursor {
        match self {
            Self::OldestFirst => StatementCursor { sequence, line: -1 },
            Self::NewestFirst => StatementCursor { sequence, line: i16::MAX },
        }
    }
}

impl StatementLine {
    #[must_use]
    pub const fn cursor(&self) -> StatementCursor {
        StatementCursor { sequence: self.sequence, line: self.line }
    }
}
