//! `counterfoil stripe doctor`: is Stripe set up so that what is sold is granted?

use clap::Args;
use serde::Serialize;

use crate::{
    clock::Clock,
    config::Config,
    stripe::provisioning::{
        doctor::{self, Deployed, DoctorFinding, Level},
        setup::DesiredState,
    },
};

use super::{
    super::{
        exit::{CliFailure, CliResult, Exit},
        flags::ServeFlags,
        output::{Output, or_dash, table},
    },
    setup::{check_mode, client, webhook_url},
};

pub(super) const HELP: &str = "\
The key and its rights, clocks, prices, the portal, and the webhook endpoint are held against the settings and the \
catalog. Nothing is changed. Each check has a name that stays, and says what to do. Exit code 1 says that there is \
an error; warnings alone are 0.

Examples:
  counterfoil stripe doctor --url https://ledger.example.com
  counterfoil --json stripe doctor --live --url https://ledger.example.com";

#[derive(Args)]
pub(in super::super) struct Doctor {
    /// The address at which Stripe reaches this server; without it, all endpoints that look like its own are checked
    #[arg(long)]
    url: Option<String>,
    /// Check live mode: needed with a live key, and refused with a test key
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    flags: ServeFlags,
}

#[derive(Serialize)]
struct ShownFinding<'a> {
    mode: &'static str,
    catalog: &'a str,
    errors: usize,
    warnings: usize,
    findings: &'a [DoctorFinding],
}

impl Doctor {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let (config, catalog) = Config::read_before_setup(&self.flags.given())?;
        let client = client(&config.billing)?;
        check_mode(config.mode, self.live)?;
        let url = self.url.as_deref().map(|url| webhook_url(url, config.mode)).transpose()?;
        let deployed = Deployed {
            mode: config.mode,
            wanted: DesiredState::of(
                &catalog.catalog,
                config.mode,
                config.billing.portal.as_deref(),
                url.as_deref(),
            )
            .pinned_to(&config.billing.api_version),
            verifies: !config.webhook_secrets.is_empty(),
        };
        let findings = doctor::examine(&client, &config.billing.url, &Clock::system(), &deployed).await;
        let findings = findings.map_err(CliFailure::broken)?;
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        let shown = ShownFinding {
            mode: config.mode.as_str(),
            catalog: &catalog.catalog.name,
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            findings: &findings,
        };
        output.answer(&shown, || table_of(&findings))?;
        Ok(if shown.errors == 0 { Exit::Success } else { Exit::No })
    }
}

fn table_of(findings: &[DoctorFinding]) -> String {
    let mut table = table(["", "check", "found", "what to do"]);
    for finding in findings {
        table.add_row([
            finding.level.to_string(),
            finding.check.to_string(),
            finding.found.clone(),
            or_dash(finding.advice.as_ref()),
        ]);
    }
    table.to_string()
}
