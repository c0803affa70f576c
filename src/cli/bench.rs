//! `counterfoil bench`: how fast is a running server here? A short form of `cargo bench`, over HTTP.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::load::{self, Choice, LoadAccounts, LoadPlan, LoadReport, LoadTarget, Pace, RequestForm, Until};

use super::{
    exit::{CliFailure, CliResult, Exit},
    output::{Output, table},
};

const HELP: &str = "\
Opens accounts of its own (bench-…), gives them credits, and spends these. All of that stays in the journal, so do \
not point it at a server whose journal matters. The key needs the scopes deduct and operate, and no rate limit.

Examples:
  counterfoil bench --key cf_test_…
  counterfoil bench --key cf_test_… --url http://127.0.0.1:9000 --seconds 10 --json";

/// How many accounts the load is spread over.
const ACCOUNTS: u64 = 1_000;
/// The credits that each gets, so that nothing is refused.
const PLENTY: i64 = 1_000_000_000;
/// How many connections prepare the accounts.
const PREPARING_CONNECTIONS: usize = 64;

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Bench {
    /// An API key of the server
    #[arg(long)]
    key: String,
    /// The address of the server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// How long each measurement takes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many connections send single commands
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
}

/// One measurement.
#[derive(Serialize)]
struct Figure {
    name: &'static str,
    #[serde(flatten)]
    report: LoadReport,
}

impl Bench {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let target =
            LoadTarget::parse(&self.url, &self.key).map_err(|error| CliFailure::Usage(error.to_string()))?;
        self.prepare(&target, output).await?;
        let mut figures = Vec::new();
        let many = usize::from(self.connections);
        for (name, form, choice, connections) in [
            ("single deductions, 1,000 accounts", RequestForm::deduction(), Choice::Uniform, many),
            ("single deductions, one account", RequestForm::deduction(), Choice::Hot, many),
            ("batches of 100, 1,000 accounts", RequestForm::deductions(100), Choice::Uniform, 16),
        ] {
            output.note(&format!("{name}, {} s…", self.seconds));
            let until = Until::Elapsed(Duration::from_secs(self.seconds));
            let report = run(&target, form, choice, connections, until).await?;
            figures.push(Figure { name, report });
        }
        output.answer(&figures, || table_of(&figures))?;
        let all = figures.iter().all(|figure| figure.report.items == figure.report.items_accepted);
        Ok(if all { Exit::Success } else { Exit::No })
    }

    /// Opens the accounts and gives them credits. Those of an earlier run exist already, and get more.
    async fn prepare(&self, target: &LoadTarget, output: Output) -> Result<(), CliFailure> {
        output.note(&format!("preparing {ACCOUNTS} accounts…"));
        let grant = format!(r#"{{"source":"bonus","amount":{PLENTY},"reason":"benchmark"}}"#);
        for form in [
            RequestForm::one("PUT", "/v1/accounts/{account}", "{}"),
            RequestForm::one("POST", "/v1/accounts/{account}/grants", &grant),
        ] {
            let report =
                run(target, form, Choice::InTurn, PREPARING_CONNECTIONS, Until::Requests(ACCOUNTS)).await?;
            if report.statuses.success != report.requests {
                let reason = format!(
                    "the accounts could not be prepared; does the key have the scopes deduct and operate?\n{report}"
                );
                return Err(CliFailure::No(reason));
            }
        }
        Ok(())
    }
}

async fn run(
    target: &LoadTarget,
    form: RequestForm,
    choice: Choice,
    connections: usize,
    until: Until,
) -> Result<LoadReport, CliFailure> {
    let accounts = LoadAccounts { prefix: "bench-".to_owned(), count: ACCOUNTS, choice };
    let target = target.clone();
    let plan = LoadPlan { target, form, accounts, connections, threads: 1, pace: Pace::AsAnswered, until };
    load::run(plan).await.map_err(CliFailure::broken)
}

fn table_of(figures: &[Figure]) -> String {
    let mut table = table(["", "commands/s", "p50", "p99", "longest", "refused or failed"]);
    for Figure { name, report } in figures {
        table.add_row([
            (*name).to_owned(),
            report.items_per_second.to_string(),
            milliseconds(report.p50_us),
            milliseconds(report.p99_us),
            milliseconds(report.max_us),
            report.items.saturating_sub(report.items_accepted).to_string(),
        ]);
    }
    table.to_string()
}

fn milliseconds(microseconds: u64) -> String {
    format!("{}.{:02} ms", microseconds / 1_000, microseconds % 1_000 / 10)
}
