//! `counterfoil report deferred-revenue`: what was paid in advance, and when was it earned?

use clap::Args;
use serde_json::{Value, json};

use crate::{
    domain::{amount::Currency, revenue::RevenueKind},
    projections::deferred::{DeferredFlow, RevenueFilter},
    queries::{
        csv,
        deferred::{DEFERRED_COLUMNS, DeferredInterval, MODEL, deferred_intervals, deferred_lines},
        revenue::RevenueSpan,
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
pub(in crate::cli) struct DeferredRevenueReport {
    #[command(flatten)]
    arguments: ReportArguments,
    /// Only this currency, such as usd
    #[arg(long, value_parser = Currency::parse)]
    currency: Option<Currency>,
}

impl DeferredRevenueReport {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let (from, until) = self.arguments.days()?;
        let (span, interval) = (RevenueSpan { from, until }, self.arguments.interval.into());
        let ((intervals, restated_since), age) =
            session::with(&self.arguments.flags, async |session: &CliSession| {
                let age = ReportAge::read(session, MODEL).await?;
                let filter =
                    RevenueFilter { currency: self.currency.as_ref().map(Currency::as_str), source: None };
                let read = deferred_intervals(&session.pool, span, interval, filter).await;
                Ok((read.map_err(CliFailure::broken)?, age))
            })
            .await?;
        let file = csv::table(&DEFERRED_COLUMNS, &deferred_lines(&intervals)).map_err(CliFailure::broken)?;
        let figures = json!({ "series": intervals.iter().map(value_of).collect::<Vec<_>>() });
        let table = || table_of(&intervals);
        self.arguments.show(output, ShownReport { figures, file, restated_since, age }, table)
    }
}

fn value_of(interval: &DeferredInterval) -> Value {
    let flow =
        |flow: &DeferredFlow| json!({ "source": flow.source, "type": flow.kind, "amount": flow.minor });
    json!({
        "currency": interval.currency,
        "start": interval.days.0,
        "opening": interval.opening,
        "flows": interval.flows.iter().map(flow).collect::<Vec<_>>(),
        "closing": interval.closing,
        "contra": interval.contra.iter().map(flow).collect::<Vec<_>>(),
    })
}

fn table_of(intervals: &[DeferredInterval]) -> String {
    let mut table = table([
        "currency",
        "start",
        "opening",
        "sold",
        "recognised",
        "breakage",
        "refunded",
        "closing",
        "contra",
        "",
    ]);
    for interval in intervals {
        let of_currency = intervals.iter().filter(|other| other.currency == interval.currency);
        let most = of_currency.map(|interval| interval.closing).max().unwrap_or_default();
        let sum = |kind: RevenueKind| {
            let own = interval.flows.iter().chain(&interval.contra).filter(|flow| flow.kind == kind);
            own.fold(0_i128, |sum, flow| sum.saturating_add(flow.minor))
        };
        table.add_row([
            interval.currency.clone(),
            interval.days.0.to_string(),
            interval.opening.to_string(),
            sum(RevenueKind::Sold).to_string(),
            sum(RevenueKind::Recognised).to_string(),
            sum(RevenueKind::Breakage).to_string(),
            sum(RevenueKind::Refunded).to_string(),
            interval.closing.to_string(),
            or_dash(Some(sum(RevenueKind::Contra)).filter(|contra| *contra != 0)),
            bar(interval.closing, most, BAR_COLUMNS),
        ]);
    }
    table.to_string()
}
