//! How is an answer printed, for people or as JSON? People get tables on the standard output, programs get JSON; both
//! get errors apart from it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets::UTF8_BORDERS_ONLY};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::exit::{CliFailure, CliResult};

/// The width of a table if the width of the terminal is not known.
const PIPE_COLUMNS: u16 = 200;
const PROGRESS_TEMPLATE: &str = "{msg} [{wide_bar}] {human_pos}/{human_len} {per_sec} {eta}";
const PROGRESS_REDRAW: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Answers: with `value` for programs, with the text for people.
    pub(super) fn answer<T: Serialize + ?Sized>(
        self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliFailure> {
        if self.json {
            print(&serde_json::to_string_pretty(value).map_err(CliFailure::broken)?)
        } else {
            print(&text())
        }
    }

    /// Answers with one line of JSON for programs that read the output as it comes; with the text for people.
    pub(super) fn announce<T: Serialize + ?Sized>(
        self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliFailure> {
        if self.json {
            print(&serde_json::to_string(value).map_err(CliFailure::broken)?)
        } else {
            print(&text())
        }
    }

    /// Answers with a text that is the same for everybody.
    pub(super) fn verbatim(self, text: &str) -> Result<(), CliFailure> {
        print(text)
    }

    /// Prints something for people only.
    pub(super) fn note(self, text: &str) {
        if !self.json {
            complain(text);
        }
    }

    /// Says why a command failed, if it did, and with which code the process ends.
    pub(super) fn end(self, result: CliResult) -> ExitCode {
        let failure = match result {
            Ok(exit) => return exit.code(),
            Err(failure) => failure,
        };
        let reason = failure.reason();
        if self.json {
            complain(&serde_json::json!({ "error": reason }).to_string());
        } else {
            complain(&format!("counterfoil: {reason}"));
        }
        failure.code()
    }

    /// Shows the progress of long work to people at a terminal.
    pub(super) fn progress(self, what: &str, length: u64) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length).with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template(PROGRESS_TEMPLATE) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(PROGRESS_REDRAW);
        bar
    }
}

/// The reader of the output may have closed it, which is not a failure.
fn print(text: &str) -> Result<(), CliFailure> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliFailure::broken(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn complain(text: &str) {
    // There is nowhere left to say that this fails.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// An empty table with these columns.
pub(super) fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    if !table.is_tty() {
        table.set_width(PIPE_COLUMNS);
    }
    table
}

/// The text for a missing value in a table.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

/// A part of a whole as a bar of block characters, of at most `columns`, by eighths of a character.
pub(super) fn bar(part: i128, whole: i128, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let most = i128::try_from(columns).unwrap_or_default().saturating_mul(8);
    let eighths = part.max(0).saturating_mul(most).checked_div(whole).unwrap_or_default().clamp(0, most);
    let whole = usize::try_from(eighths / 8).unwrap_or_default();
    let rest = usize::try_from(eighths % 8).ok().and_then(|rest| EIGHTHS.get(rest)).copied();
    format!("{}{}", "█".repeat(whole), rest.unwrap_or_default())
}
