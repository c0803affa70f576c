//! Do commands wait without any being answered? While one waits, the time since the last answer is measured.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The commands that were accepted and have not been answered. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct PendingCommands(Arc<Mutex<PendingQueue>>);

#[derive(Debug, Default)]
struct PendingQueue {
    commands: usize,
    /// When the first of them arrived, or when one was last answered.
    since: Option<Instant>,
}

/// One waiting command, until it is dropped.
#[derive(Debug)]
pub(super) struct PendingCommand(PendingCommands);

impl PendingCommands {
    pub(super) fn enter(&self) -> PendingCommand {
        self.change(Instant::now(), |row, now| {
            row.commands = row.commands.saturating_add(1);
            row.since.get_or_insert(now);
        });
        PendingCommand(self.clone())
    }

    /// For how long no command was answered, although some were waiting.
    pub(super) fn stuck_for(&self) -> Duration {
        let since = self.0.lock().unwrap_or_else(PoisonError::into_inner).since;
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn change(&self, now: Instant, change: impl FnOnce(&mut PendingQueue, Instant)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), now);
    }
}

impl Drop for PendingCommand {
    fn drop(&mut self) {
        self.0.change(Instant::now(), |row, now| {
            row.commands = row.commands.saturating_sub(1);
            row.since = (row.commands > 0).then_some(now);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_while_something_waits_and_from_the_last_answer_on() {
        let waiting = PendingCommands::default();
        assert_eq!(waiting.stuck_for(), Duration::ZERO);
        let since = || waiting.0.lock().unwrap().since;
        let first = waiting.enter();
        let begun = since().expect("it waits");
        let second = waiting.enter();
        assert_eq!(since(), Some(begun), "another one that comes is no answer");
        drop(first);
        assert!(since().expect("one waits") >= begun);
        drop(second);
        assert_eq!(waiting.stuck_for(), Duration::ZERO);
    }
}
