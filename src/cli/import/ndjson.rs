//! How is an NDJSON file read? One account a line, as it is sent in a batch.

use std::io::{BufRead, Read};

use crate::http::read_account;

use super::entry::{ImportEntry, LineMistake};

/// The byte order mark with which some programs begin a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// A longer line cannot be that of an account.
const LINE_BYTES_MAX: u64 = 1 << 20;

pub(super) struct Ndjson<R> {
    reader: R,
    line: u64,
    has_ended: bool,
}

impl<R: BufRead> Ndjson<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, line: 0, has_ended: false }
    }

    /// The next line that is not empty. No line follows one that cannot be read, or is too long.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            let mut bytes = Vec::new();
            let most = LINE_BYTES_MAX.saturating_add(1);
            let read = self.reader.by_ref().take(most).read_until(b'\n', &mut bytes);
            if read.map_err(|error| error.to_string())? == 0 {
                return Ok(None);
            }
            self.line = self.line.saturating_add(1);
            if bytes.len() as u64 > LINE_BYTES_MAX {
                return Err(format!("a line has at most {LINE_BYTES_MAX} bytes"));
            }
            if self.line == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
                bytes.drain(..BYTE_ORDER_MARK.len());
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(bytes));
            }
        }
    }
}

impl<R: BufRead> Iterator for Ndjson<R> {
    type Item = Result<ImportEntry, LineMistake>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let read = match self.next_line() {
            Ok(None) => return None,
            Ok(Some(bytes)) => read_account(&bytes),
            Err(reason) => {
                self.has_ended = true;
                Err(reason)
            }
        };
        let line = self.line;
        Some(match read {
            Ok(account) => Ok(ImportEntry { line, account }),
            Err(reason) => Err(LineMistake { line, account: None, reason }),
        })
    }
}
