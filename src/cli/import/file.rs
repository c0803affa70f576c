//! A file of accounts, read account by account, so that it may be larger than the memory.

use std::{
    collections::HashSet,
    fs,
    hash::{BuildHasher, RandomState},
    io::BufReader,
    path::PathBuf,
};

use indicatif::ProgressBar;
use serde::Serialize;

use crate::http::MovedAccount;

use super::{super::exit::Failure, Format, csv::Csv, ndjson::Ndjson};

/// How many mistakes are told. The others are counted.
pub(super) const TOLD_MAX: usize = 20;

#[derive(Clone)]
pub(super) struct File {
    path: PathBuf,
    format: Format,
}

/// An account of the file, and the line that it begins in.
#[derive(Debug)]
pub(super) struct Entry {
    pub line: u64,
    pub account: MovedAccount,
}

/// Something that is wrong with a line.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Mistake {
    pub line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub reason: String,
}

/// Mistakes, as many as are told, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    pub told: Vec<Mistake>,
    pub count: u64,
}

impl Mistakes {
    pub(super) fn note(&mut self, mistake: Mistake) {
        self.count = self.count.saturating_add(1);
        if self.told.len() < TOLD_MAX {
            self.told.push(mistake);
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// What was found when all of the file was read.
#[derive(Debug, Default)]
pub(super) struct Check {
    pub accounts: u64,
    pub grants: u64,
    pub mistakes: Mistakes,
}

/// What a file is read into.
pub(super) type Entries = Box<dyn Iterator<Item = Result<Entry, Mistake>> + Send>;

impl File {
    /// # Errors
    /// When nothing says how it is written.
    pub(super) fn new(path: PathBuf, format: Option<Format>) -> Result<Self, Failure> {
        let by_name = || match path.extension()?.to_str()? {
            "csv" => Some(Format::Csv),
            "ndjson" | "jsonl" => Some(Format::Ndjson),
            _ => None,
        };
        let format = format.or_else(by_name).ok_or_else(|| {
            let because =
                "the name ends neither in .csv nor in .ndjson, so --format has to say how it is written";
            Failure::Usage(because.to_owned())
        })?;
        Ok(Self { path, format })
    }

    pub(super) fn bytes(&self) -> Result<u64, Failure> {
        fs::metadata(&self.path).map(|file| file.len()).map_err(|error| self.unreadable(&error))
    }

    /// # Errors
    /// When it cannot be read.
    pub(super) fn entries(&self, progress: &ProgressBar) -> Result<Entries, Failure> {
        let file = fs::File::open(&self.path).map_err(|error| self.unreadable(&error))?;
        let file = BufReader::new(progress.wrap_read(file));
        Ok(match self.format {
            Format::Csv => Box::new(Csv::new(file)),
            Format::Ndjson => Box::new(Ndjson::new(file)),
        })
    }

    fn unreadable(&self, error: &std::io::Error) -> Failure {
        Failure::broken(format!("{}: {error}", self.path.display()))
    }
}

/// Reads all of it, and says what is wrong.
///
/// # Errors
/// When it cannot be read.
pub(super) fn check(file: &File, progress: &ProgressBar) -> Result<Check, Failure> {
    let mut check = Check::default();
    // The ids would fill the memory; a hash of each does not, and two of them are as good as never the same.
    let (state, mut seen) = (RandomState::new(), HashSet::new());
    for entry in file.entries(progress)? {
        match entry {
            Ok(Entry { line, account: MovedAccount { account, import } }) => {
                check.accounts = check.accounts.saturating_add(1);
                check.grants =
                    check.grants.saturating_add(u64::try_from(import.grants.len()).unwrap_or(u64::MAX));
                if !seen.insert(state.hash_one(account.as_str())) {
                    let reason = "the account is in the file already; its lines have to follow each other";
                    let (account, reason) = (Some(account.to_string()), reason.to_owned());
                    check.mistakes.note(Mistake { line, account, reason });
                }
            }
            Err(mistake) => check.mistakes.note(mistake),
        }
    }
    Ok(check)
}
