//! `counterfoil demo`: what does a year of a business look like? It is lived through in a new database, and served.
//!
//! Nothing is written that a caller or a customer could not have caused: people pay at the sandbox, which tells the
//! ledger by its signed webhooks, and the product's backend spends their credits over the API.
//! Only the clock is not the system's: it goes from the beginning of the year to now, for the ledger and the sandbox,
//! and then goes on as the system's.

mod caller;
mod customer;
mod deeds;
mod life;
mod look;
mod offer;
mod people;
mod place;
mod year;

use std::{fs, path::PathBuf};

use chrono::Months;
use clap::Args;
use serde::Serialize;

use crate::{
    app::{App, FirstKey, KeyAudience, mode::LedgerMode},
    clock::Clock,
    config::{Config, DatabaseConfig, LoadedCatalog, settings},
    domain::time::Timestamp,
};

use super::{
    Sandboxed,
    banner::ServeBanner,
    exit::{CliFailure, CliResult},
    flags::ServeFlags,
    output::Output,
    serve::serve_until_asked_to_stop,
    session::start_logs,
    signals::Signals,
    stripe::reachable,
};
use caller::DemoCaller;
use deeds::Demand;
use look::Look;
use offer::Offer;
use people::People;
use place::DemoOptions;
use year::{Lived, World};

const HELP: &str = "\
The people, what they do and when follow from the seed and the catalog. Ids that are random differ from run to run. \
It needs a data directory of its own, and no DATABASE_URL. A finished year is served again as it was; the sandbox has \
forgotten it by then.

Examples:
  counterfoil demo
  counterfoil demo --catalog catalogs/promptforge.toml --data-dir /tmp/promptforge
  counterfoil demo --accounts 50 --months 3 --seed 7 --data-dir /tmp/small";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Demo {
    /// How many accounts there are at the end
    #[arg(long, value_name = "NUMBER", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    accounts: u32,
    /// For how many months, up to now
    #[arg(long, value_name = "NUMBER", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=36))]
    months: u32,
    /// What the people and their year follow from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    flags: ServeFlags,
}

/// What is said when it is ready, after the banner.
#[derive(Serialize)]
struct DemoReport<'a> {
    demo: &'a Look,
}

/// A demonstration that runs.
struct Running {
    app: App,
    sandbox: Sandboxed,
    clock: Clock,
}

impl Demo {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let usual = place::usual().map_err(CliFailure::broken)?.display().to_string();
        let given = self.flags.given();
        let given = if given.is_set(settings::DATA_DIRECTORY) {
            given
        } else {
            self.flags.clone().or(settings::DATA_DIRECTORY, usual).given()
        };
        if given.is_set(settings::DATABASE_URL) {
            return Err(CliFailure::Usage(
                "DATABASE_URL is set, and a made-up year would stay in that database for good. Unset it: `demo` \
                 uses a PostgreSQL of its own"
                    .to_owned(),
            ));
        }
        let (config, catalog) = Config::read_before_setup(&given)?;
        start_logs(&given, &config);
        let directory = directory(&config)?;
        let asked = DemoOptions {
            catalog: catalog.catalog.name.clone(),
            accounts: self.accounts,
            months: self.months,
            seed: self.seed,
        };
        if !catalog.catalog.payments.enabled {
            return Err(CliFailure::Usage("the catalog sells nothing: payments are not enabled".to_owned()));
        }
        let earlier = place::take(&directory, &asked)?;
        let mut signals = Signals::listen().map_err(CliFailure::broken)?;
        let offer = Offer::of(&catalog.catalog);
        let line = format!("{} ({})", catalog.catalog.name, catalog.origin);
        let now = Clock::system().now();
        let clock = if earlier.is_some() { Clock::system() } else { Clock::fixed(self.begin(now)) };
        let running = Running::start(config, catalog, clock).await?;
        let look = match earlier {
            Some(look) => look,
            None => {
                let lived = tokio::select! {
                    lived = self.live(&running, &offer, now, output) => lived,
                    signal = signals.next() => {
                        Err(CliFailure::No(format!("{signal} came before the year was over")))
                    }
                };
                match lived
                    .and_then(|look| place::keep(&directory, &asked, Some(look.clone())).map(|()| look))
                {
                    Ok(look) => look,
                    Err(failure) => {
                        running.stop().await;
                        return Err(failure);
                    }
                }
            }
        };
        running.serve(line, &look, signals, output).await
    }

    /// The beginning of the day on which the year begins.
    fn begin(&self, now: Timestamp) -> Timestamp {
        let day = now.to_utc().date_naive();
        let day = day.checked_sub_months(Months::new(self.months)).unwrap_or(day);
        crate::domain::time::start_of_day(day, chrono_tz::UTC)
    }

    async fn live(
        &self,
        running: &Running,
        offer: &Offer,
        now: Timestamp,
        output: Output,
    ) -> Result<Look, CliFailure> {
        let (begin, end) = (self.begin(now).to_utc().date_naive(), now.to_utc().date_naive());
        let days =
            u32::try_from(end.signed_duration_since(begin).num_days()).unwrap_or_default().saturating_add(1);
        let demand = Demand { seed: self.seed, accounts: self.accounts, begin, days };
        let people = People::of(offer, demand);
        let progress = output.progress("days", days.into());
        let lived = running.live(&people, &demand, now, &progress).await;
        progress.finish_and_clear();
        Ok(Look::at(&people, &lived?, (begin, end)))
    }
}

fn directory(config: &Config) -> Result<PathBuf, CliFailure> {
    match &config.database {
        DatabaseConfig::Embedded { data_directory, .. } => Ok(data_directory.clone()),
        DatabaseConfig::External(_) => Err(CliFailure::Usage("DATABASE_URL is set".to_owned())),
    }
}

impl Running {
    async fn start(mut config: Config, mut catalog: LoadedCatalog, clock: Clock) -> Result<Self, CliFailure> {
        let sandbox = Sandboxed::start(None, None, &mut config, &mut catalog, clock.clone()).await?;
        let app = App::start(config, catalog, clock.clone(), KeyAudience::File).await;
        let app = app.map_err(CliFailure::broken)?;
        sandbox.deliver_to(app.address());
        Ok(Self { app, sandbox, clock })
    }

    /// Lives through the year; afterwards the clock is the system's.
    async fn live(
        &self,
        people: &People,
        demand: &Demand,
        now: Timestamp,
        progress: &indicatif::ProgressBar,
    ) -> Result<Lived, CliFailure> {
        let key = match self.app.first_key() {
            Some(FirstKey::ToShow(key)) => key.reveal().to_owned(),
            Some(FirstKey::In(file)) => {
                fs::read_to_string(file).map_err(CliFailure::broken)?.trim().to_owned()
            }
            None => return Err(CliFailure::broken("there is a key already, so the database is not new")),
        };
        let caller = DemoCaller::new(reachable(self.app.address()), key, self.sandbox.url());
        let world = World {
            app: &self.app,
            sandbox: &self.sandbox,
            clock: &self.clock,
            caller: &caller,
            begin_s: self.clock.now().seconds(),
        };
        world.live(people, demand, now.seconds(), progress).await
    }

    async fn serve(self, catalog: String, look: &Look, signals: Signals, output: Output) -> CliResult {
        let banner = ServeBanner::of(&self.app, catalog, LedgerMode::Sandbox, Some(self.sandbox.url()));
        let address = reachable(self.app.address()).to_string();
        output.announce(&banner, || banner.text())?;
        drop(banner);
        output.announce(&DemoReport { demo: look }, || look.text(&address))?;
        let answer = serve_until_asked_to_stop(self.app, signals).await;
        self.sandbox.stop().await;
        answer
    }

    async fn stop(self) {
        self.app.stop().await;
        self.sandbox.stop().await;
    }
}
