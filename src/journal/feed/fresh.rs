//! Which events has this process just appended? Readers take them from here, and need not read them from the database.
//!
//! It holds the last events of one shard, without gaps.
//! What another process has appended is a gap: only what comes after it is kept.

use std::{collections::VecDeque, sync::Arc};

use crate::domain::recorded::{Position, RecordedEvent};

use super::FeedEntry;

/// How many events are kept of all shards, about 1 KB each. Readers that are further behind read from the database.
pub(super) const FRESH_EVENTS_MAX: usize = 60_000;
/// Each shard keeps so many, however many shards there are: more than one batch has.
const FRESH_EVENTS_MIN: usize = 5_000;

/// How many events each of so many shards keeps.
pub(super) fn of_each(shards: usize) -> usize {
    FRESH_EVENTS_MAX.checked_div(shards).unwrap_or(FRESH_EVENTS_MAX).max(FRESH_EVENTS_MIN)
}

/// The events of one command, which are shared with those who answer it.
pub type StoredCommand = Arc<Vec<RecordedEvent>>;

/// One event of a command.
#[derive(Clone, Debug)]
pub struct FreshEvent {
    command: StoredCommand,
    index: usize,
}

impl FreshEvent {
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "it is made with the index of one of the command's events")]
    pub fn event(&self) -> &RecordedEvent {
        &self.command[self.index]
    }
}

#[derive(Debug, Default)]
pub(super) struct FreshEvents {
    commands: VecDeque<StoredCommand>,
    events: usize,
}

impl FreshEvents {
    /// Adds stored commands, in the order of their positions. At most `most` events are kept.
    pub(super) fn put(&mut self, commands: impl Iterator<Item = StoredCommand>, most: usize) {
        for command in commands {
            let Some(first) = command.first().map(|first| first.position) else { continue };
            if self.last().is_none_or(|last| last.0.saturating_add(1) != first.0) {
                self.commands.clear();
                self.events = 0;
            }
            self.events = self.events.saturating_add(command.len());
            self.commands.push_back(command);
        }
        while self.events > most {
            self.forget_first();
        }
    }

    /// Forgets the commands that end at a position or before it: all readers have had them.
    pub(super) fn forget(&mut self, read: Position) {
        while self.commands.front().and_then(last_of).is_some_and(|last| last <= read) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let length = self.commands.pop_front().map_or(self.events, |command| command.len());
        self.events = self.events.saturating_sub(length);
    }

    /// The events after a position and up to another. `None`: the next one is not here.
    pub(super) fn after(&self, after: Position, to: i64) -> Option<Vec<FeedEntry>> {
        let next = after.0.saturating_add(1);
        let first = self.commands.front()?.first()?.position.0;
        if next < first || self.last()?.0 < next {
            return None;
        }
        let from = self.commands.partition_point(|command| last_of(command).is_none_or(|last| last <= after));
        let mut entries = Vec::new();
        for command in self.commands.range(from..) {
            for (index, recorded) in
                command.iter().enumerate().skip_while(|(_, recorded)| recorded.position <= after)
            {
                if recorded.position.0 > to {
                    return Some(entries);
                }
                entries.push(FeedEntry::Fresh(FreshEvent { command: Arc::clone(command), index }));
            }
        }
        Some(entries)
    }

    fn last(&self) -> Option<Position> {
        last_of(self.commands.back()?)
    }
}

fn last_of(command: &StoredCommand) -> Option<Position> {
    command.last().map(|last| last.position)
}
