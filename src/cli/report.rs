//! `counterfoil report`: what do the figures of the business say?

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::{
    projections::{
        FigureInterval,
        credits::{CreditFlow, CreditStock},
    },
    queries::{
        credits::{CREDIT_COLUMNS, CreditInterval, CreditSpan, credit_intervals, credit_lines},
        csv,
    },
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::{Output, bar, or_dash, table},
    session::{self, CliSession},
};

/// How wide the bars of a report are, in characters.
const BAR_COLUMNS: usize = 24;
const CREDITS_HELP: &str = "\
`closing` is `opening` with everything that came and went in between. Frozen credits count as available.

Examples:
  counterfoil report credits --from 2026-01-01 --to 2026-12-31
  counterfoil report credits --from 2026-11-01 --to 2026-11-30 --interval day --csv > november.csv";

#[derive(Subcommand)]
pub(super) enum ReportCommand {
    /// How the credits of all accounts came and went
    #[command(after_help = CREDITS_HELP)]
    Credits(CreditsReport),
}

#[derive(Args)]
pub(super) struct CreditsReport {
    /// The first day, such as 2026-01-01
    #[arg(long)]
    from: NaiveDate,
    /// The last day
    #[arg(long)]
    to: NaiveDate,
    /// What is summed
    #[arg(long, value_enum, default_value = "month")]
    interval: IntervalName,
    /// The time zone of the days, such as Europe/Berlin
    #[arg(long, default_value = "UTC")]
    time_zone: Tz,
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
        }
    }
}

impl CreditsReport {
    async fn run(self, output: Output) -> CliResult {
        let until = self.to.checked_add_days(Days::new(1)).filter(|until| *until > self.from);
        let until = until.ok_or_else(|| CliFailure::Usage("--to is before --from".to_owned()))?;
        let span = CreditSpan { from: self.from, until, time_zone: self.time_zone };
        let interval = self.interval.into();
        let (intervals, restated_since) = session::with(&self.flags, async |session: &CliSession| {
            credit_intervals(&session.pool, span, interval).await.map_err(CliFailure::broken)
        })
        .await?;
        if self.csv {
            let file = csv::table(&CREDIT_COLUMNS, &credit_lines(&intervals)).map_err(CliFailure::broken)?;
            output.verbatim(String::from_utf8_lossy(&file).trim_end())?;
            return Ok(Exit::Success);
        }
        let restated = restated_since.map(|at| at.to_string());
        let value = json!({
            "time_zone": self.time_zone.name(),
            "intervals": intervals.iter().map(value_of).collect::<Vec<_>>(),
            "restated_since": restated,
        });
        output.answer(&value, || {
            let note =
                restated.map(|at| format!("\nA day of these was changed after it was over, last on {at}."));
            format!("{}{}", table_of(&intervals), note.unwrap_or_default())
        })?;
        Ok(Exit::Success)
    }
}

fn stock(of: CreditStock) -> Value {
    json!({ "available": of.available, "held": of.held, "debt": of.debt })
}

fn value_of(interval: &CreditInterval) -> Value {
    let flow = |flow: &CreditFlow| {
        let generation_type = Some(&flow.generation_type).filter(|kind| !kind.is_empty());
        json!({
            "type": flow.kind, "generation_type": generation_type, "count": flow.count,
            "available": flow.change.available, "held": flow.change.held, "debt": flow.change.debt,
        })
    };
    json!({
        "start": interval.days.0,
        "opening": stock(interval.opening),
        "flows": interval.flows.iter().map(flow).collect::<Vec<_>>(),
        "closing": stock(interval.closing),
    })
}

/// The columns of people: what there is, held credits included, and what changed it.
fn table_of(intervals: &[CreditInterval]) -> String {
    let there = |of: CreditStock| of.available.saturating_add(of.held);
    let most = intervals.iter().map(|interval| there(interval.closing)).max().unwrap_or_default();
    let mut table =
        table(["start", "opening", "given", "bought", "used", "ended", "other", "closing", "debt", ""]);
    for interval in intervals {
        let sum = |kinds: &[&str]| {
            let own = interval.flows.iter().filter(|flow| kinds.contains(&flow.kind.as_str()));
            own.fold(0_i128, |sum, flow| sum.saturating_add(there(flow.change)))
        };
        let given = sum(&["allocation", "rollover", "signup", "bonus"]);
        let bought = sum(&["top_up"]);
        let used = sum(&["usage", "refund"]);
        let ended = sum(&["expiry", "expiry_reversed"]);
        let (opening, closing) = (there(interval.opening), there(interval.closing));
        let known = [given, bought, used, ended].into_iter().fold(opening, i128::saturating_add);
        table.add_row([
            interval.days.0.to_string(),
            opening.to_string(),
            given.to_string(),
            bought.to_string(),
            used.to_string(),
            ended.to_string(),
            closing.saturating_sub(known).to_string(),
            closing.to_string(),
            or_dash(Some(interval.closing.debt).filter(|debt| *debt != 0)),
            bar(closing, most, BAR_COLUMNS),
        ]);
    }
    table.to_string()
}
