//! `counterfoil report`: what do the figures of the business say?

mod age;
mod credits;
mod deferred;

use chrono::{Days, NaiveDate};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::{domain::time::Timestamp, projections::FigureInterval, queries::FIGURE_DAYS_MAX};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::Output,
};
use age::ReportAge;

/// How wide the bars of a report are, in characters.
const BAR_COLUMNS: usize = 24;
const CREDITS_HELP: &str = "\
`closing` is `opening` with everything that came and went in between. Frozen credits count as available.

Examples:
  counterfoil report credits --from 2026-01-01 --to 2026-12-31
  counterfoil report credits --from 2026-11-01 --to 2026-11-30 --interval day --csv > november.csv";
const DEFERRED_HELP: &str = "\
`closing` is `opening` with what was sold, less what was recognised, broke or was refunded in between. Days are those \
of UTC. Amounts are in minor units, such as cents.

Examples:
  counterfoil report deferred-revenue --from 2026-01-01 --to 2026-12-31
  counterfoil report deferred-revenue --from 2026-01-01 --to 2026-12-31 --csv > 2026.csv";

#[derive(Subcommand)]
pub(super) enum ReportCommand {
    /// How the credits of all accounts came and went
    #[command(after_help = CREDITS_HELP)]
    Credits(credits::CreditsReport),
    /// What was paid in advance, and when it was earned
    #[command(after_help = DEFERRED_HELP)]
    DeferredRevenue(deferred::DeferredRevenueReport),
}

/// What all reports are asked.
#[derive(Args)]
struct ReportArguments {
    /// The first day, such as 2026-01-01
    #[arg(long)]
    from: NaiveDate,
    /// The last day
    #[arg(long)]
    to: NaiveDate,
    /// What is summed
    #[arg(long, value_enum, default_value = "month")]
    interval: IntervalName,
    /// Print CSV, for spreadsheets
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    flags: DatabaseFlags,
}

#[derive(Clone, Copy, ValueEnum)]
enum IntervalName {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl From<IntervalName> for FigureInterval {
    fn from(name: IntervalName) -> Self {
        match name {
            IntervalName::Day => Self::Day,
            IntervalName::Week => Self::Week,
            IntervalName::Month => Self::Month,
            IntervalName::Quarter => Self::Quarter,
            IntervalName::Year => Self::Year,
        }
    }
}

impl ReportCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        match self {
            Self::Credits(report) => report.run(output).await,
            Self::DeferredRevenue(report) => report.run(output).await,
        }
    }
}

/// A report in the forms for programs and for spreadsheets.
struct ShownReport {
    /// An object.
    figures: Value,
    file: Vec<u8>,
    /// When one of the days was last changed after it was over.
    restated_since: Option<Timestamp>,
    age: ReportAge,
}

impl ReportArguments {
    /// The days as a half-open span.
    fn days(&self) -> Result<(NaiveDate, NaiveDate), CliFailure> {
        let until = self.to.checked_add_days(Days::new(1)).filter(|until| *until > self.from);
        let until = until.ok_or_else(|| CliFailure::Usage("--to is before --from".to_owned()))?;
        if until.signed_duration_since(self.from).num_days() > FIGURE_DAYS_MAX {
            let most = format!("at most {FIGURE_DAYS_MAX} days can be asked for, from --from to --to");
            return Err(CliFailure::Usage(most));
        }
        Ok((self.from, until))
    }

    /// Prints a report in the form that was asked for, with its age.
    fn show(&self, output: Output, report: ShownReport, table: impl FnOnce() -> String) -> CliResult {
        let ShownReport { mut figures, file, restated_since, age } = report;
        if self.csv {
            output.verbatim(String::from_utf8_lossy(&file).trim_end())?;
            output.note(&age.words());
            return Ok(Exit::Success);
        }
        let restated = restated_since.map(|at| at.to_string());
        if let Some(members) = figures.as_object_mut() {
            members.insert("restated_since".to_owned(), json!(restated));
            members.insert("lag_events".to_owned(), json!(age.lag_events));
            members.insert("lag_ms".to_owned(), json!(age.lag_ms));
        }
        output.answer(&figures, || {
            let note =
                restated.map(|at| format!("A day of these was changed after it was over, last on {at}.\n"));
            format!("{}\n{}{}", table(), note.unwrap_or_default(), age.words())
        })?;
        Ok(Exit::Success)
    }
}
