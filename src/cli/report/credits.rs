//! `counterfoil report credits`: how did credits come and go?

use chrono_tz::Tz;
use clap::Args;
use serde_json::{Value, json};

use crate::{
    app::catalogs,
    projections::credits::{CreditFlow, CreditStock},
    queries::{
        credits::{CREDIT_COLUMNS, CreditInterval, CreditSpan, MODEL, credit_intervals, credit_lines},
        csv,
    },
};

use super::{
    super::{
        exit::{CliFailure, CliResult},
        output::{Output, bar, or_dash, table},
        session::{self, CliSession},
    },
    BAR_COLUMNS, ReportArguments, ShownReport,
    age::ReportAge,
};

#[derive(Args)]
pub(in crate::cli) struct CreditsReport {
    #[command(flatten)]
    arguments: ReportArguments,
    /// The time zone of the days, such as Europe/Berlin; that of the catalog in use if left out
    #[arg(long)]
    time_zone: Option<Tz>,
}

impl CreditsReport {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let (from, until) = self.arguments.days()?;
        let interval = self.arguments.interval.into();
        let ((intervals, restated_since), time_zone, age) =
            session::with(&self.arguments.flags, async |session: &CliSession| {
                let time_zone = match self.time_zone {
                    Some(zone) => zone,
                    None => catalogs::time_zone(&session.pool).await.map_err(CliFailure::broken)?,
                };
                let age = ReportAge::read(session, MODEL).await?;
                let span = CreditSpan { from, until, time_zone };
                let read = credit_intervals(&session.pool, span, interval).await;
                Ok((read.map_err(CliFailure::broken)?, time_zone, age))
            })
            .await?;
        let file = csv::table(&CREDIT_COLUMNS, &credit_lines(&intervals)).map_err(CliFailure::broken)?;
        let figures = json!({
            "time_zone": time_zone.name(),
            "intervals": intervals.iter().map(value_of).collect::<Vec<_>>(),
        });
        let table = || table_of(&intervals);
        self.arguments.show(output, ShownReport { figures, file, restated_since, age }, table)
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
