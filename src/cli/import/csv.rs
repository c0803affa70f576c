//! One grant a line, the lines of an account one after the other.
//!
//! Each line is made into what it would be as JSON, and read as that, so that both forms have the same rules.

use std::io::Read;

use csv::{Position, Reader, ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value, json};

use crate::http::{MovedAccount, read_account};

use super::file::{Entry, Mistake};

/// What a line says of the account: the same in each of its lines, or in its first one only.
const OF_ACCOUNT: [&str; 6] = ["customer", "as_of", "debt", "used_credits", "used_generations", "metadata."];
/// What it says of a grant.
const OF_GRANT: [&str; 12] = [
    "source",
    "amount",
    "cost",
    "currency",
    "payment",
    "granted_at",
    "starts_at",
    "expires_at",
    "priority",
    "grant_id",
    "subscription",
    "plan",
];
const REASON: &str = "reason";

pub(super) struct Csv<R> {
    reader: Reader<R>,
    columns: Option<Vec<String>>,
    /// A line of the next account, which ended the one before.
    next: Option<Line>,
    has_ended: bool,
}

/// A line, and what it says by column.
struct Line {
    number: u64,
    account: String,
    cells: Vec<(String, String)>,
}

impl<R: Read> Csv<R> {
    pub(super) fn new(reader: R) -> Self {
        let reader = ReaderBuilder::new().trim(Trim::All).from_reader(reader);
        Self { reader, columns: None, next: None, has_ended: false }
    }

    /// The names of the columns, each of which has to be one.
    fn columns(&mut self) -> Result<Vec<String>, Mistake> {
        if let Some(columns) = &self.columns {
            return Ok(columns.clone());
        }
        let wrong = |reason: String| Mistake { line: 1, account: None, reason };
        let header = self.reader.headers().map_err(|error| wrong(error.to_string()))?;
        let columns: Vec<String> = header.iter().map(ToOwned::to_owned).collect();
        if let Some(unknown) = columns.iter().find(|column| !is_known(column)) {
            return Err(wrong(format!("there is no column `{unknown}`")));
        }
        if !columns.iter().any(|column| column == "account") {
            return Err(wrong("there is no column `account`, which says whose grant a line is".to_owned()));
        }
        self.columns = Some(columns.clone());
        Ok(columns)
    }

    fn read_line(&mut self) -> Result<Option<Line>, Mistake> {
        if let Some(line) = self.next.take() {
            return Ok(Some(line));
        }
        let columns = self.columns()?;
        let mut record = StringRecord::new();
        let number = |record: &StringRecord| record.position().map_or(0, Position::line);
        match self.reader.read_record(&mut record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(0, Position::line);
                return Err(Mistake { line, account: None, reason: error.to_string() });
            }
        }
        let cells = columns.into_iter().zip(record.iter().map(ToOwned::to_owned));
        let (account, cells): (Vec<_>, Vec<_>) =
            cells.filter(|(_, text)| !text.is_empty()).partition(|(column, _)| column == "account");
        let account = account.into_iter().next().map(|(_, account)| account).unwrap_or_default();
        Ok(Some(Line { number: number(&record), account, cells }))
    }

    /// All lines of the next account.
    fn next_account(&mut self) -> Result<Option<Entry>, Mistake> {
        let Some(first) = self.read_line()? else { return Ok(None) };
        let line = first.number;
        let mut read = first.read(0);
        let mut count = 1;
        let (account, mut cells) = (first.account, first.cells);
        loop {
            let next = match self.read_line() {
                Ok(Some(next)) if next.account == account => next,
                Ok(next) => {
                    self.next = next;
                    break;
                }
                Err(mistake) => return Err(mistake),
            };
            read = read.and_then(|mut read| {
                next.fits(&mut cells)?;
                let MovedAccount { import, .. } = next.read(count)?;
                read.import.grants.extend(import.grants);
                if read.import.grants.len() > crate::domain::moving::GRANTS_MOVED_MAX {
                    return Err(next.mistake("the account has too many grants".to_owned()));
                }
                Ok(read)
            });
            count = count.saturating_add(1);
        }
        read.map(|account| Some(Entry { line, account }))
    }
}

impl Line {
    /// What it says, with the grant of this number.
    fn read(&self, index: usize) -> Result<MovedAccount, Mistake> {
        let json = self.json(index).map_err(|reason| self.mistake(reason))?;
        read_account(json.to_string().as_bytes()).map_err(|reason| self.mistake(reason))
    }

    /// What it says of the account has to be what an earlier line said of it.
    fn fits(&self, known: &mut [(String, String)]) -> Result<(), Mistake> {
        for (column, text) in self.cells.iter().filter(|(column, _)| is_of_account(column)) {
            if !known.iter().any(|(other, said)| other == column && said == text) {
                return Err(self.mistake(format!("`{column}` is not what the account's first line says")));
            }
        }
        Ok(())
    }

    fn mistake(&self, reason: String) -> Mistake {
        let account = Some(self.account.clone()).filter(|account| !account.is_empty());
        Mistake { line: self.number, account, reason }
    }

    fn json(&self, index: usize) -> Result<Value, String> {
        let mut account = Map::new();
        let (mut grant, mut cost, mut metadata, mut used) = (Map::new(), Map::new(), Map::new(), Vec::new());
        account.insert("account".to_owned(), self.account.clone().into());
        for (column, text) in &self.cells {
            match column.as_str() {
                "cost" => drop(cost.insert("minor".to_owned(), number(text))),
                "currency" => drop(cost.insert("currency".to_owned(), text.clone().into())),
                "used_credits" => used.push(used_of("credits", text)),
                "used_generations" => used.push(used_of("generations", text)),
                "debt" => drop(account.insert("debt".to_owned(), number(text))),
                "amount" | "priority" => drop(grant.insert(column.clone(), number(text))),
                name if is_of_account(name) => match name.strip_prefix("metadata.") {
                    Some(name) => drop(metadata.insert(name.to_owned(), text.clone().into())),
                    None => drop(account.insert(column.clone(), text.clone().into())),
                },
                _ => drop(grant.insert(column.clone(), text.clone().into())),
            }
        }
        if !cost.is_empty() {
            grant.insert("cost".to_owned(), cost.into());
        }
        if !metadata.is_empty() {
            account.insert("metadata".to_owned(), metadata.into());
        }
        if !used.is_empty() {
            account.insert("used".to_owned(), used.into());
        }
        if !grant.is_empty() {
            let name = || format!("moved_{}", index.saturating_add(1)).into();
            grant.entry("grant_id").or_insert_with(name);
            account.insert("grants".to_owned(), json!([grant]));
        }
        Ok(account.into())
    }
}

/// What is no number is left as it is, so that reading it says what is expected.
fn number(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
}

fn used_of(measure: &str, count: &str) -> Value {
    json!({ "measure": measure, "per": "month", "count": number(count) })
}

fn is_of_account(column: &str) -> bool {
    OF_ACCOUNT.iter().any(|known| column == *known || (known.ends_with('.') && column.starts_with(known)))
}

fn is_known(column: &str) -> bool {
    column == "account" || column == REASON || OF_GRANT.contains(&column) || is_of_account(column)
}

impl<R: Read> Iterator for Csv<R> {
    type Item = Result<Entry, Mistake>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        match self.next_account() {
            Ok(entry) => entry.map(Ok),
            Err(mistake) => {
                // Without its columns, or with a part that is no text, nothing of the rest is known to be what it seems.
                self.has_ended = self.columns.is_none();
                Some(Err(mistake))
            }
        }
    }
}
