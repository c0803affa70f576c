//! How is a CSV file read? One grant a line, and the lines of an account follow each other.
//!
//! Each line is converted to the same JSON as an NDJSON line, and read as that, so that both forms have the same rules.

use std::{collections::VecDeque, io::Read};

use csv::{Position, Reader, ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value, json};

use crate::{
    domain::{ids::GrantId, moving::GRANTS_MOVED_MAX},
    http::{GrantIdTaken, MovedAccount, name_grants, read_account},
};

use super::{
    columns::{self, ACCOUNT, METADATA, is_of_account},
    entry::{ImportEntry, LineMistake},
};

pub(super) struct Csv<R> {
    reader: Reader<R>,
    /// The names of the columns; `None` if they have not been read, or are wrong.
    columns: Option<Vec<String>>,
    /// What was read ahead: a line of the next account, or the mistake in it.
    next: Option<Result<CsvLine, LineMistake>>,
    /// The mistakes in the names of the columns that are not reported yet.
    mistakes: VecDeque<LineMistake>,
    has_ended: bool,
}

/// A line, with its value in each column.
struct CsvLine {
    number: u64,
    account: String,
    cells: Vec<(String, String)>,
}

impl<R: Read> Csv<R> {
    pub(super) fn new(reader: R) -> Self {
        let reader = ReaderBuilder::new().trim(Trim::All).from_reader(reader);
        Self { reader, columns: None, next: None, mistakes: VecDeque::new(), has_ended: false }
    }

    /// The names of the columns, each of which has to be known.
    fn columns(&mut self) -> Result<Vec<String>, LineMistake> {
        if let Some(columns) = &self.columns {
            return Ok(columns.clone());
        }
        let wrong = |reason: String| LineMistake { line: 1, account: None, reason };
        let header = self.reader.headers().map_err(|error| wrong(error.to_string()))?;
        let mistakes = columns::mistakes(&header.iter().collect::<Vec<_>>());
        self.mistakes = mistakes.into_iter().map(wrong).collect();
        if let Some(first) = self.mistakes.pop_front() {
            return Err(first);
        }
        let columns: Vec<String> = header.iter().map(ToOwned::to_owned).collect();
        self.columns = Some(columns.clone());
        Ok(columns)
    }

    fn read_line(&mut self) -> Result<Option<CsvLine>, LineMistake> {
        if let Some(next) = self.next.take() {
            return next.map(Some);
        }
        let columns = self.columns()?;
        let mut record = StringRecord::new();
        let number = |record: &StringRecord| record.position().map_or(0, Position::line);
        match self.reader.read_record(&mut record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(0, Position::line);
                return Err(LineMistake { line, account: None, reason: error.to_string() });
            }
        }
        let cells = columns.into_iter().zip(record.iter().map(ToOwned::to_owned));
        let (account, cells): (Vec<_>, Vec<_>) =
            cells.filter(|(_, text)| !text.is_empty()).partition(|(column, _)| column == ACCOUNT);
        let account = account.into_iter().next().map(|(_, account)| account).unwrap_or_default();
        Ok(Some(CsvLine { number: number(&record), account, cells }))
    }

    /// All lines of the next account.
    fn next_account(&mut self) -> Result<Option<ImportEntry>, LineMistake> {
        let Some(first) = self.read_line()? else { return Ok(None) };
        let mut lines = vec![first];
        while let Some(first) = lines.first() {
            match self.read_line() {
                Ok(Some(next)) if next.account == first.account => lines.push(next),
                Ok(next) => {
                    self.next = next.map(Ok);
                    break;
                }
                Err(mistake) => {
                    self.next = Some(Err(mistake));
                    break;
                }
            }
        }
        account_of(&lines)
    }
}

/// The account that its lines describe together.
fn account_of(lines: &[CsvLine]) -> Result<Option<ImportEntry>, LineMistake> {
    let Some((first, others)) = lines.split_first() else { return Ok(None) };
    let mut account = first.read()?;
    for next in others {
        next.fits(&first.cells)?;
        account.import.grants.extend(next.read()?.import.grants);
        if account.import.grants.len() > GRANTS_MOVED_MAX {
            return Err(next.mistake("the account has too many grants".to_owned()));
        }
    }
    let with_grant: Vec<&CsvLine> = lines.iter().filter(|line| line.has_grant()).collect();
    let given: Vec<Option<GrantId>> = with_grant.iter().map(|line| line.grant_id()).collect();
    let ids = name_grants(&given).map_err(|taken: GrantIdTaken| {
        with_grant.get(taken.index).unwrap_or(&first).mistake(format!("`grant_id`: {taken}"))
    })?;
    for (grant, id) in account.import.grants.iter_mut().zip(ids) {
        grant.grant_id = id;
    }
    Ok(Some(ImportEntry { line: first.number, account }))
}

impl CsvLine {
    /// The line as an account with one grant, or none.
    fn read(&self) -> Result<MovedAccount, LineMistake> {
        read_account(self.json().to_string().as_bytes()).map_err(|reason| self.mistake(reason))
    }

    /// Its values of the account have to be those of the first line.
    fn fits(&self, known: &[(String, String)]) -> Result<(), LineMistake> {
        for (column, text) in self.cells.iter().filter(|(column, _)| is_of_account(column)) {
            if !known.iter().any(|(other, said)| other == column && said == text) {
                return Err(self.mistake(format!("`{column}` is not what the account's first line says")));
            }
        }
        Ok(())
    }

    fn has_grant(&self) -> bool {
        self.cells.iter().any(|(column, _)| !is_of_account(column))
    }

    fn grant_id(&self) -> Option<GrantId> {
        let (_, id) = self.cells.iter().find(|(column, _)| column == "grant_id")?;
        GrantId::parse(id).ok()
    }

    fn mistake(&self, reason: String) -> LineMistake {
        let account = Some(self.account.clone()).filter(|account| !account.is_empty());
        LineMistake { line: self.number, account, reason }
    }

    fn json(&self) -> Value {
        let mut account = Map::new();
        let (mut grant, mut cost, mut metadata, mut used) = (Map::new(), Map::new(), Map::new(), Vec::new());
        account.insert(ACCOUNT.to_owned(), self.account.clone().into());
        for (column, text) in &self.cells {
            match column.as_str() {
                "cost" => drop(cost.insert("minor".to_owned(), number(text))),
                "currency" => drop(cost.insert("currency".to_owned(), text.clone().into())),
                "used_credits" => used.push(used_of("credits", text)),
                "used_generations" => used.push(used_of("generations", text)),
                "debt" => drop(account.insert("debt".to_owned(), number(text))),
                "amount" | "priority" => drop(grant.insert(column.clone(), number(text))),
                name if is_of_account(name) => match name.strip_prefix(METADATA) {
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
            account.insert("grants".to_owned(), json!([grant]));
        }
        account.into()
    }
}

/// A text that is not a number stays as it is, so that reading it says what is expected.
fn number(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
}

fn used_of(measure: &str, count: &str) -> Value {
    json!({ "measure": measure, "per": "month", "count": number(count) })
}

impl<R: Read> Iterator for Csv<R> {
    type Item = Result<ImportEntry, LineMistake>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(mistake) = self.mistakes.pop_front() {
            return Some(Err(mistake));
        }
        if self.has_ended {
            return None;
        }
        match self.next_account() {
            Ok(entry) => entry.map(Ok),
            Err(mistake) => {
                // Without its columns, or after a part that is not text, the rest cannot be interpreted.
                self.has_ended = self.columns.is_none();
                Some(Err(mistake))
            }
        }
    }
}
