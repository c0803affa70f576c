//! `counterfoil serve`: how does a server start and stop? It starts all parts, prints their addresses, stops in order.

use std::{io::IsTerminal, net::SocketAddr, process::ExitStatus};

use clap::Args;

use crate::{
    app::{App, KeyAudience, mode::LedgerMode},
    clock::Clock,
    config::{CatalogChoice, Config, UnreadVariable},
    domain::rollout::Reach,
    telemetry,
};

use super::{
    Sandboxed,
    banner::ServeBanner,
    exit::{CliFailure, CliResult, Exit},
    flags::ServeFlags,
    output::Output,
    signals::Signals,
};

const HELP: &str = "\
Each setting is a flag or an environment variable; the flag goes first. `.env.example` lists them all.

Examples:
  counterfoil serve
  counterfoil serve --sandbox
  counterfoil serve --listen 127.0.0.1:9000 --catalog mine.toml
  DATABASE_URL=postgres://user@host/database counterfoil serve";

const LEDGER_GROWN: &str = "\
another program has grown the ledger, and this one does not know where new accounts are. What was acknowledged is \
stored: start again";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Serve {
    /// Also start a stand-in for Stripe, which sells what the catalog sells and sends its webhooks to this server
    ///
    /// It is at this address, or at the usual one, or at a free one if that is taken.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true)]
    sandbox: Option<Option<SocketAddr>>,
    /// The key of the sandbox, as API key and as password (sk_test_…); needed if it listens beyond this machine
    #[arg(long, value_name = "KEY", env = "STRIPE_SANDBOX_KEY", hide_env_values = true)]
    sandbox_key: Option<String>,
    #[command(flatten)]
    flags: ServeFlags,
}

impl Serve {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let given = self.flags.given();
        let (mut config, mut catalog) = Config::read_with_catalog(&given)?;
        telemetry::start_logs(&config.log);
        for UnreadVariable { name, advice } in given.unread(&catalog.settings) {
            tracing::warn!(name, advice, "a variable is set that is not read here");
        }
        let mut signals = Signals::listen().map_err(CliFailure::broken)?;
        let catalog_line = format!("{} ({})", catalog.catalog.name, catalog.origin);
        let clock = Clock::system();
        let sandbox = match self.sandbox {
            Some(listen) => {
                let key = self.sandbox_key.as_deref();
                Some(Sandboxed::start(listen, key, &mut config, &mut catalog, clock.clone()).await?)
            }
            None => None,
        };
        warn(&config);
        let mode = LedgerMode::of(config.mode, config.sandboxed);
        let teller = if std::io::stdout().is_terminal() { KeyAudience::Person } else { KeyAudience::File };
        let app = tokio::select! {
            app = App::start(config, catalog, clock, teller) => app.map_err(CliFailure::broken)?,
            signal = signals.next() => {
                return Err(CliFailure::No(format!("{signal} came before anything was served")));
            }
        };
        if let Some(sandbox) = &sandbox {
            sandbox.deliver_to(app.address());
        }
        let banner = ServeBanner::of(&app, catalog_line, mode, sandbox.as_ref().map(Sandboxed::url));
        output.announce(&banner, || banner.text())?;
        drop(banner);
        let answer = serve_until_asked_to_stop(app, signals).await;
        if let Some(sandbox) = sandbox {
            sandbox.stop().await;
        }
        answer
    }
}

/// Serves until a signal comes, and stops in order.
pub(super) async fn serve_until_asked_to_stop(app: App, mut signals: Signals) -> CliResult {
    let log = app.data_directory().map(|path| path.join("postgres.log").display().to_string());
    let end = tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, "stopping");
            Ok(Exit::Success)
        }
        () = app.ledger_grown() => Err(CliFailure::broken(LEDGER_GROWN)),
        status = app.database_ended() => return Err(database_ended(status, log)),
    };
    tokio::select! {
        () = app.stop() => end,
        _ = signals.next() => Err(CliFailure::Interrupted),
    }
}

/// The database has ended, so nothing can be answered, and the process ends at once.
fn database_ended(status: Option<ExitStatus>, log: Option<String>) -> CliFailure {
    let status = status.map_or_else(|| "in an unknown way".to_owned(), |status| format!("with {status}"));
    let log = log.unwrap_or_default();
    CliFailure::broken(format!(
        "the embedded PostgreSQL ended by itself again and again, at last {status}; {log} may say why. \
         What was acknowledged is on disk: start again"
    ))
}

fn warn(config: &Config) {
    if config.catalog == CatalogChoice::BuiltIn {
        tracing::info!(
            "no catalog was set and catalogs/music.toml is not here: using the one in the program"
        );
    }
    if config.billing.on && config.billing.rollout.reach() != Reach::On {
        tracing::info!(sold_to = %config.billing.rollout, "billing is on for a part of the accounts");
    }
    if config.webhook_secrets.is_empty() {
        tracing::warn!("STRIPE_WEBHOOK_SECRET is not set, so every webhook is refused");
    }
}
