//! `counterfoil sandbox`: how can things be tried out without Stripe? With a stand-in on this machine.

use std::net::SocketAddr;

use clap::Args;
use serde::Serialize;

use crate::{
    clock::Clock,
    config::{LogConfig, LogFormat, shown::without_password},
    sandbox::{Sandbox as Running, SandboxKey, SandboxOptions, Webhook, is_version},
    telemetry,
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    output::Output,
    signals::Signals,
};

const HELP: &str = "\
It answers as Stripe's API does, shows pages to pay on, and sends signed webhooks. Any sk_test_ key is taken, and no \
live one. Nothing is kept when it ends.

Examples:
  counterfoil sandbox
  counterfoil sandbox --webhook-url http://127.0.0.1:8080/v1/webhooks/stripe --webhook-secret whsec_mine";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct SandboxCommand {
    /// The address for requests; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:12111")]
    listen: SocketAddr,
    /// The key of the sandbox, as API key and as password (sk_test_…); needed if it listens beyond this machine
    #[arg(long, value_name = "KEY", env = "STRIPE_SANDBOX_KEY", hide_env_values = true)]
    key: Option<String>,
    /// The address that webhooks are posted to
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    webhook_url: Option<String>,
    /// The secret that they are signed with (whsec_…)
    #[arg(long, value_name = "SECRET", env = "STRIPE_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: Option<String>,
    /// The shape of events, such as 2024-04-10 or 2025-03-31.basil; without it, the newest
    #[arg(long, value_name = "VERSION")]
    api_version: Option<String>,
}

/// The key of a sandbox that listens there.
pub(super) fn sandbox_key(text: Option<&str>, listen: SocketAddr) -> Result<Option<SandboxKey>, CliFailure> {
    // An empty value counts as unset, as in a file of settings without values.
    let text = text.filter(|text| !text.trim().is_empty());
    SandboxKey::of(text, listen).map_err(|error| CliFailure::Usage(error.to_string()))
}

#[derive(Serialize)]
struct SandboxBanner {
    sandbox: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhooks: Option<String>,
}

impl SandboxCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        if self.api_version.as_deref().is_some_and(|version| !is_version(version)) {
            return Err(CliFailure::Usage("--api-version is not a version of Stripe's API".to_owned()));
        }
        let key = sandbox_key(self.key.as_deref(), self.listen)?;
        telemetry::start_logs(&LogConfig { filter: "warn".to_owned(), format: LogFormat::Auto });
        let mut signals = Signals::listen().map_err(CliFailure::broken)?;
        let secret = self.webhook_secret.unwrap_or_default();
        let webhook = self.webhook_url.map(|url| {
            // If several secrets are accepted, the first one signs.
            let first = secret.split(',').next().unwrap_or_default();
            let first = first.split_once('=').map_or(first, |(_, value)| value);
            Webhook { url, secret: first.trim().to_owned(), api_version: self.api_version.clone() }
        });
        let banner_webhooks = webhook.as_ref().map(|webhook| without_password(&webhook.url).into_owned());
        let options = SandboxOptions {
            listen: self.listen,
            webhook,
            clock: Clock::system(),
            signing_clock: Clock::system(),
        };
        let running = Running::start_behind(options, key).await.map_err(|error| {
            CliFailure::broken(format!("cannot listen for requests at {}: {error}", self.listen))
        })?;
        let banner = SandboxBanner { sandbox: running.url(), webhooks: banner_webhooks };
        output.announce(&banner, || banner.text())?;
        signals.next().await;
        tokio::select! {
            () = running.stop() => Ok(Exit::Success),
            _ = signals.next() => Err(CliFailure::Interrupted),
        }
    }
}

impl SandboxBanner {
    fn text(&self) -> String {
        let webhooks = self.webhooks.as_deref().unwrap_or("to the endpoints that are made over the API");
        format!(
            "A sandbox Stripe, with no real money, is at {}\n  webhooks   {webhooks}\n  key        any sk_test_…",
            self.sandbox
        )
    }
}
