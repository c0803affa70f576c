//! What became of a file, for people and for programs.

use serde::Serialize;

use super::file::{Check, Mistake, Mistakes};

#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub dry_run: bool,
    /// Accounts that moved in, or would.
    pub imported: u64,
    /// Accounts that had moved in so before.
    pub there_already: u64,
    /// Accounts that were refused.
    pub refused: u64,
    /// Lines that could not be read, so that nothing was changed.
    pub unreadable: u64,
    /// Whether the rest was left out after the first refusal.
    pub stopped: bool,
    /// The first of both.
    pub mistakes: Vec<Mistake>,
}

impl Report {
    pub(super) fn of_mistakes(check: Check, dry_run: bool) -> Self {
        let Mistakes { told, count } = check.mistakes;
        Self { dry_run, unreadable: count, mistakes: told, ..Self::default() }
    }

    pub(super) fn refuse(&mut self, mistake: Mistake) {
        self.refused = self.refused.saturating_add(1);
        if self.mistakes.len() < super::file::TOLD_MAX {
            self.mistakes.push(mistake);
        }
    }

    /// Whether all of the file is there, or would be.
    pub(super) const fn is_whole(&self) -> bool {
        self.refused == 0 && self.unreadable == 0
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
                "{} accounts were imported, {} were there already, {} were refused.",
                self.imported, self.there_already, self.refused
            ),
            (0, true) => format!(
                "{} accounts would be imported, {} are there already, {} would be refused.",
                self.imported, self.there_already, self.refused
            ),
            (unreadable, _) => format!("{unreadable} lines cannot be read. Nothing was changed."),
        });
        if self.stopped {
            lines.push("The rest was left out: --continue goes on after what is refused.".to_owned());
        }
        lines.join("\n")
    }
}

fn line(mistake: &Mistake) -> String {
    let Mistake { line, account, reason } = mistake;
    match account {
        Some(account) => format!("line {line}, {account}: {reason}"),
        None => format!("line {line}: {reason}"),
    }
}
