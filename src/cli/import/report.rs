//! What is the result of an import, for people and for programs?

use serde::Serialize;

use super::{
    entry::{LineMistake, LineMistakes},
    file::Check,
};

#[derive(Debug, Default, Serialize)]
pub(super) struct ImportReport {
    pub dry_run: bool,
    /// Accounts that moved in, or would move in.
    pub imported: u64,
    /// Accounts that had moved in before, in the same way.
    pub there_already: u64,
    /// Accounts that were refused.
    pub refused: u64,
    /// Lines that could not be read, so that nothing was changed.
    pub unreadable: u64,
    /// Whether the rest was left out after the first refusal.
    pub stopped: bool,
    /// Whether the rest was left out because of a signal.
    pub interrupted: bool,
    /// The first lines of those that were refused or could not be read.
    pub mistakes: Vec<LineMistake>,
}

impl ImportReport {
    pub(super) fn of_mistakes(check: Check, dry_run: bool) -> Self {
        let LineMistakes { told, count } = check.mistakes;
        Self { dry_run, unreadable: count, mistakes: told, ..Self::default() }
    }

    /// A file that was not read to its end.
    pub(super) fn of_nothing(dry_run: bool) -> Self {
        Self { dry_run, interrupted: true, ..Self::default() }
    }

    pub(super) fn with_refused(self, refused: LineMistakes) -> Self {
        let LineMistakes { told, count } = refused;
        Self { refused: count, mistakes: told, ..self }
    }

    /// Whether all accounts of the file are there, or would be.
    pub(super) const fn is_whole(&self) -> bool {
        self.refused == 0 && self.unreadable == 0 && !self.interrupted
    }

    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> = self.mistakes.iter().map(line).collect();
        let all = self.refused.saturating_add(self.unreadable);
        let told = u64::try_from(self.mistakes.len()).unwrap_or(u64::MAX);
        if all > told {
            lines.push(format!("and {} more", all.saturating_sub(told)));
        }
        lines.push(match (self.unreadable, self.dry_run) {
            (0, false) => format!(
                "{} imported, {} there already, {} refused.",
                were(self.imported, "account was", "accounts were"),
                were(self.there_already, "was", "were"),
                were(self.refused, "was", "were")
            ),
            (0, true) => format!(
                "{} be imported, {} there already, {} would be refused.",
                were(self.imported, "account would", "accounts would"),
                were(self.there_already, "is", "are"),
                self.refused
            ),
            (unreadable, _) => {
                format!("{} cannot be read. Nothing was changed.", were(unreadable, "line", "lines"))
            }
        });
        if self.stopped {
            lines.push("The rest was left out: --continue goes on after what is refused.".to_owned());
        }
        if self.interrupted {
            lines.push("The rest was left out: the same command goes on from there.".to_owned());
        }
        lines.join("\n")
    }
}

fn were(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn line(mistake: &LineMistake) -> String {
    let LineMistake { line, account, reason } = mistake;
    match account {
        Some(account) => format!("line {line}, {account}: {reason}"),
        None => format!("line {line}: {reason}"),
    }
}
