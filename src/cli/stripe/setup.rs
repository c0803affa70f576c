//! `counterfoil stripe setup`: how does Stripe get what the catalog sells? It is made there, and the settings printed.

use clap::Args;
use serde::Serialize;

use crate::{
    catalog::Mode,
    config::{BillingConfig, Config, shown::without_password},
    stripe::{
        client::{Client, Patience},
        provisioning::setup::{self, Action, DesiredState, SetupError, SetupPlan, SetupReport, SetupStep},
    },
};

use super::super::{
    exit::{CliFailure, CliResult, Exit},
    flags::ServeFlags,
    output::{Output, or_dash, table},
};

pub(super) const HELP: &str = "\
Products, prices, the portal's configuration and the webhook endpoint are made or brought up to date, from the \
catalog. What is there already is found again, so that a second setup changes nothing. A price whose amount has \
changed is made anew; the old one is archived, subscriptions keep it, and its id goes on standing for the plan.

The standard output has the settings that result, for a `.env` file; what was done is said beside it. The secret of \
a new webhook endpoint is among them, this once.

Examples:
  counterfoil stripe setup --url https://ledger.example.com --dry-run
  counterfoil stripe setup --url https://ledger.example.com >> .env
  counterfoil stripe setup --live --url https://ledger.example.com --catalog mine.toml";

/// The path for webhooks.
const WEBHOOK_PATH: &str = "/v1/webhooks/stripe";

#[derive(Args)]
pub(in super::super) struct Setup {
    /// The address at which Stripe reaches this server: https://ledger.example.com, or with the path of its webhooks
    ///
    /// Without it, no webhook endpoint is made or changed.
    #[arg(long)]
    url: Option<String>,
    /// Work with real money: needed with a live key, and refused with a test key
    #[arg(long)]
    live: bool,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Disable other webhook endpoints at the same address, once the server knows the new one's secret
    #[arg(long)]
    retire: bool,
    #[command(flatten)]
    flags: ServeFlags,
}

#[derive(Serialize)]
struct ShownSetup<'a> {
    mode: &'static str,
    catalog: &'a str,
    dry_run: bool,
    #[serde(flatten)]
    report: &'a SetupReport,
}

impl Setup {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let (config, catalog) = Config::read_before_setup(&self.flags.given())?;
        let client = client(&config.billing)?;
        check_mode(config.mode, self.live)?;
        let url = self.url.as_deref().map(|url| webhook_url(url, config.mode)).transpose()?;
        let wanted =
            DesiredState::of(&catalog.catalog, config.mode, config.billing.portal.as_deref(), url.as_deref());
        let wanted = wanted.pinned_to(&config.billing.api_version);
        let plan = setup::prepare(&client, &wanted, self.retire).await.map_err(failed)?;
        let shown = |report: &SetupReport| {
            let shown = ShownSetup {
                mode: config.mode.as_str(),
                catalog: &catalog.catalog.name,
                dry_run: self.dry_run,
                report,
            };
            serde_json::to_value(&shown).map_err(CliFailure::broken)
        };
        if self.dry_run {
            let report = SetupReport { steps: plan.steps, ..SetupReport::default() };
            output.answer(&shown(&report)?, || table_of(&report.steps))?;
            output.note("Nothing was changed.");
            return Ok(Exit::Success);
        }
        output.note(&table_of(&plan.steps));
        let (report, outcome) = perform(&client, &wanted, plan, self.retire, output).await;
        output.answer(&shown(&report)?, || settings_of(&report, &config))?;
        outcome?;
        if let (Some(endpoint), None) = (&report.endpoint, &report.webhook_secret) {
            output.note(&where_the_secret_is(endpoint, config.mode));
        }
        Ok(Exit::Success)
    }
}

async fn perform(
    client: &Client,
    wanted: &DesiredState,
    plan: SetupPlan,
    retire: bool,
    output: Output,
) -> (SetupReport, Result<(), CliFailure>) {
    if plan.is_done() {
        output.note("Stripe has all of it; nothing was changed.");
        return (SetupReport::of(wanted, &plan), Ok(()));
    }
    let progress = output.progress("setting up", u64::try_from(plan.changes()).unwrap_or(0));
    let (report, outcome) =
        setup::set_up(client, wanted, plan, retire, &|_: &SetupStep| progress.inc(1)).await;
    progress.finish_and_clear();
    (report, outcome.map_err(failed))
}

/// The catalog needs something impossible, Stripe refuses, or Stripe does not answer.
fn failed(error: SetupError) -> CliFailure {
    if matches!(error, SetupError::TooManyPlans(_)) {
        CliFailure::Usage(error.to_string())
    } else if error.is_refusal() {
        CliFailure::No(error.to_string())
    } else {
        CliFailure::broken(error)
    }
}

/// Live mode needs both the key and the flag.
pub(super) fn check_mode(mode: Mode, live: bool) -> Result<(), CliFailure> {
    match (mode, live) {
        (Mode::Live, false) => {
            Err(CliFailure::Usage("STRIPE_SECRET_KEY is a live key; say --live if that is meant".to_owned()))
        }
        (Mode::Test, true) => Err(CliFailure::Usage(
            "--live needs a live key in STRIPE_SECRET_KEY (sk_live_… or rk_live_…)".to_owned(),
        )),
        (Mode::Live, true) | (Mode::Test, false) => Ok(()),
    }
}

pub(super) fn client(billing: &BillingConfig) -> Result<Client, CliFailure> {
    let key = billing.key.as_ref().ok_or_else(|| {
        CliFailure::Usage(
            "STRIPE_SECRET_KEY is not set; it is in Stripe's dashboard under Developers".to_owned(),
        )
    })?;
    Client::new(key, &billing.url, Patience::default()).map_err(CliFailure::broken)
}

/// The complete webhook URL of a server.
pub(super) fn webhook_url(text: &str, mode: Mode) -> Result<String, CliFailure> {
    let shown = without_password(text);
    let refuse = |allowed: &str| CliFailure::Usage(format!("--url: `{shown}` is not valid; {allowed}"));
    let mut url = reqwest::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| refuse("it has to be an address such as https://ledger.example.com"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse(
            "what Stripe is told is shown to whoever looks there, so there is no password in it",
        ));
    }
    if mode == Mode::Live && url.scheme() != "https" {
        return Err(refuse("Stripe sends live webhooks to https addresses only"));
    }
    if url.path() == "/" {
        url.set_path(WEBHOOK_PATH);
    }
    Ok(url.to_string())
}

fn table_of(steps: &[SetupStep]) -> String {
    let mut table = table(["", "object", "name", "id", "because"]);
    for step in steps {
        let id = if step.action == Action::Create { None } else { step.id.as_ref() };
        table.add_row([
            step.action.to_string(),
            step.object.to_string(),
            step.name.clone(),
            or_dash(id),
            step.because.clone(),
        ]);
    }
    table.to_string()
}

/// The lines of a `.env` file.
fn settings_of(report: &SetupReport, config: &Config) -> String {
    let mut lines = vec![format!("# Made by `counterfoil stripe setup`, {} mode.", config.mode)];
    lines.extend(report.settings.iter().map(|(name, value)| format!("{name}={value}")));
    if let Some(secret) = &report.webhook_secret {
        if !config.webhook_secrets.is_empty() {
            lines.push(
                "# Add the secret that is set now behind a comma, until its endpoint is retired.".to_owned(),
            );
        }
        lines.push(format!("STRIPE_WEBHOOK_SECRET={secret}"));
    }
    let written =
        report.in_catalog.iter().map(|(key, value)| format!("# Write into the catalog: {key} = {value}"));
    lines.extend(written);
    lines.join("\n")
}

fn where_the_secret_is(endpoint: &str, mode: Mode) -> String {
    let test = if mode == Mode::Test { "test/" } else { "" };
    format!(
        "The endpoint's secret is told when it is made, and not again. It is shown at \
         https://dashboard.stripe.com/{test}webhooks/{endpoint}"
    )
}
