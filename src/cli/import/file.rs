//! How is a file of accounts read? Account by account, so that it may be larger than the memory.

use std::{
    collections::HashMap,
    fs,
    hash::{BuildHasher, RandomState},
    io::BufReader,
    path::PathBuf,
};

use indicatif::ProgressBar;

use crate::http::MovedAccount;

use super::{
    super::{
        exit::CliFailure,
        files::{check_readable, unreadable},
    },
    Format,
    csv::Csv,
    entry::{ImportEntry, LineMistake, LineMistakes},
    ndjson::Ndjson,
    stop::Stop,
};

#[derive(Clone)]
pub(super) struct File {
    path: PathBuf,
    format: Format,
}

/// The findings when the whole file was read.
#[derive(Debug, Default)]
pub(super) struct Check {
    pub accounts: u64,
    pub mistakes: LineMistakes,
}

/// What a file is read into.
pub(super) type Entries = Box<dyn Iterator<Item = Result<ImportEntry, LineMistake>> + Send>;

impl File {
    /// # Errors
    /// If the format is not known, or the file cannot be read.
    pub(super) fn new(path: PathBuf, format: Option<Format>) -> Result<Self, CliFailure> {
        let by_name = || match path.extension()?.to_str()? {
            "csv" => Some(Format::Csv),
            "ndjson" | "jsonl" => Some(Format::Ndjson),
            _ => None,
        };
        let format = format.or_else(by_name).ok_or_else(|| {
            let because =
                "the name ends neither in .csv nor in .ndjson, so --format has to say how it is written";
            CliFailure::Usage(because.to_owned())
        })?;
        check_readable(&path)?;
        Ok(Self { path, format })
    }

    pub(super) fn bytes(&self) -> Result<u64, CliFailure> {
        fs::metadata(&self.path).map(|file| file.len()).map_err(|error| self.unreadable(&error))
    }

    /// # Errors
    /// If it cannot be read.
    pub(super) fn entries(&self, progress: &ProgressBar) -> Result<Entries, CliFailure> {
        let file = fs::File::open(&self.path).map_err(|error| self.unreadable(&error))?;
        let file = BufReader::new(progress.wrap_read(file));
        Ok(match self.format {
            Format::Csv => Box::new(Csv::new(file)),
            Format::Ndjson => Box::new(Ndjson::new(file)),
        })
    }

    fn unreadable(&self, error: &std::io::Error) -> CliFailure {
        unreadable(&self.path, error)
    }
}

/// Reads the whole file, and returns what is wrong; if it is stopped, for what was read so far.
///
/// # Errors
/// If it cannot be read.
pub(super) fn check(file: &File, progress: &ProgressBar, stop: &Stop) -> Result<Check, CliFailure> {
    let mut check = Check::default();
    let mut seen = SeenIds::default();
    for entry in file.entries(progress)? {
        if stop.is_asked() {
            break;
        }
        match entry {
            Ok(entry) => {
                check.accounts = check.accounts.saturating_add(1);
                if let Err(reason) = seen.note(&entry, file.format) {
                    let ImportEntry { line, account } = entry;
                    check.mistakes.note(LineMistake {
                        line,
                        account: Some(account.account.to_string()),
                        reason,
                    });
                }
            }
            Err(mistake) => check.mistakes.note(mistake),
        }
    }
    Ok(check)
}

/// The line of each account and each customer. The ids would fill the memory, so only a hash of each is kept; two ids
/// practically never have the same hash.
#[derive(Default)]
struct SeenIds {
    state: RandomState,
    accounts: HashMap<u64, u64>,
    customers: HashMap<u64, u64>,
}

impl SeenIds {
    /// A value that may be in the file only once.
    fn note(&mut self, entry: &ImportEntry, format: Format) -> Result<(), String> {
        let ImportEntry { line, account: MovedAccount { account, import } } = entry;
        let account = self.state.hash_one(account.as_str());
        if let Some(earlier) = self.accounts.insert(account, *line) {
            self.accounts.insert(account, earlier);
            let because = match format {
                Format::Csv => "; its lines have to follow each other",
                Format::Ndjson => "",
            };
            return Err(format!("the account is in line {earlier} already{because}"));
        }
        let Some(customer) = &import.customer else { return Ok(()) };
        let hash = self.state.hash_one(customer.as_str());
        if let Some(earlier) = self.customers.insert(hash, *line) {
            self.customers.insert(hash, earlier);
            return Err(format!(
                "the customer `{customer}` is that of line {earlier} already; a customer stands for one account"
            ));
        }
        Ok(())
    }
}
