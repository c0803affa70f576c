//! `counterfoil doctor`: is the database as the ledger needs it?

use clap::Args;
use serde::Serialize;

use crate::{
    app::Database,
    clock::Clock,
    config::Config,
    postgres::doctor::{DatabaseFinding, FindingLevel},
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::{Output, or_dash, table},
    session,
};

const HELP: &str = "\
Versions, settings, rights, room, clocks and the time of a commit are held against what the ledger needs. Nothing is \
changed: no migration is applied, no embedded database is made, and what is measured is written to no table. Exit \
code 1 says that there is a fault: acknowledged events could be lost or changed, or the program cannot work. Advice \
alone is 0. Without a database that answers it is 3.

Examples:
  counterfoil doctor
  DATABASE_URL=postgres://user@host/database counterfoil --json doctor";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct DatabaseDoctor {
    #[command(flatten)]
    flags: DatabaseFlags,
}

#[derive(Serialize)]
struct ShownExamination<'a> {
    faults: usize,
    advice: usize,
    findings: &'a [DatabaseFinding],
}

impl DatabaseDoctor {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let given = self.flags.given();
        let config = Config::read(&given)?;
        session::start_logs(&given, &config);
        let findings = Database::examine(&config.database, &Clock::system()).await;
        let findings = findings.map_err(CliFailure::broken)?;
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        let shown = ShownExamination {
            faults: count(FindingLevel::Fault),
            advice: count(FindingLevel::Advice),
            findings: &findings,
        };
        output.answer(&shown, || table_of(&findings))?;
        Ok(if shown.faults == 0 { Exit::Success } else { Exit::No })
    }
}

fn table_of(findings: &[DatabaseFinding]) -> String {
    let mut table = table(["", "check", "found", "advised", "why"]);
    for finding in findings {
        table.add_row([
            finding.level.to_string(),
            finding.check.to_owned(),
            finding.found.clone(),
            or_dash(finding.advised.as_ref()),
            finding.why.to_owned(),
        ]);
    }
    table.to_string()
}
