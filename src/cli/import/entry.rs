//! What is found in a line of a file of accounts? An account, or a mistake.

use serde::Serialize;

use crate::http::MovedAccount;

/// How many mistakes are reported. The others are counted.
pub(super) const TOLD_MAX: usize = 20;

/// An account of the file, and the line that it begins in.
#[derive(Debug)]
pub(super) struct ImportEntry {
    pub line: u64,
    pub account: MovedAccount,
}

/// Something that is wrong with a line.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LineMistake {
    pub line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub reason: String,
}

/// Mistakes: the first lines that have one, and how many there are.
#[derive(Debug, Default)]
pub(super) struct LineMistakes {
    pub told: Vec<LineMistake>,
    pub count: u64,
}

impl LineMistakes {
    /// They may be noted in any order, and are reported in the order of the lines.
    pub(super) fn note(&mut self, mistake: LineMistake) {
        self.count = self.count.saturating_add(1);
        let place = self.told.partition_point(|other| other.line <= mistake.line);
        if place < TOLD_MAX {
            self.told.insert(place, mistake);
            self.told.truncate(TOLD_MAX);
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }
}
