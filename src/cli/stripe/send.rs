//! `counterfoil stripe send FILE…`: how are events sent without Stripe? As `stripe trigger` does with an account there.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use serde::Serialize;

use crate::{
    clock::Clock,
    config::Config,
    stripe::inbound::{
        send::{self, send},
        signature::WebhookSecret,
    },
};

use super::super::{
    exit::{CliFailure, CliResult, Exit},
    files::{check_readable, unreadable},
    flags::ServeFlags,
    output::{Output, or_dash, table},
};

pub(super) const HELP: &str = "\
Each document is signed with the first secret of STRIPE_WEBHOOK_SECRET and posted, one after the other, in the order \
in which they are given. Exit code 1 says that one of them was not accepted.

Examples:
  counterfoil stripe send event.json
  counterfoil stripe send --url https://example.com/v1/webhooks/stripe story/*.json";

/// How long a server may take for one document.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Args)]
pub(in crate::cli) struct Send {
    /// Files with one event each
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The address to post them to; without it, the server that the settings describe
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    flags: ServeFlags,
}

#[derive(Serialize)]
struct Sent {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    status: u16,
    accepted: bool,
    answer: String,
}

impl Send {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let config = Config::read(&self.flags.given())?;
        let secret = config.webhook_secrets.first().ok_or_else(|| {
            CliFailure::Usage(
                "STRIPE_WEBHOOK_SECRET is not set, so nothing can be signed; use the server's".to_owned(),
            )
        })?;
        self.files.iter().try_for_each(|file| check_readable(file))?;
        let url = self.url.unwrap_or_else(|| webhook_url(config.listen));
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(CliFailure::broken)?;
        let progress = output.progress("sending", u64::try_from(self.files.len()).unwrap_or(0));
        let mut sent = Vec::with_capacity(self.files.len());
        for file in &self.files {
            sent.push(send_file(&client, &url, secret, file).await?);
            progress.inc(1);
        }
        progress.finish_and_clear();
        output.answer(&sent, || table_of(&sent))?;
        let all = sent.iter().all(|sent| sent.accepted);
        Ok(if all { Exit::Success } else { Exit::No })
    }
}

async fn send_file(
    client: &reqwest::Client,
    url: &str,
    secret: &WebhookSecret,
    file: &PathBuf,
) -> Result<Sent, CliFailure> {
    let shown = file.display().to_string();
    let body = tokio::fs::read(file).await.map_err(|error| unreadable(file, &error))?;
    let answer = send(client, url, secret, body, Clock::system().now()).await.map_err(CliFailure::broken)?;
    let accepted = answer.is_accepted();
    let send::SendResult { event, status, body } = answer;
    Ok(Sent { file: shown, event, status, accepted, answer: body })
}

fn webhook_url(listen: SocketAddr) -> String {
    format!("http://{}/v1/webhooks/stripe", super::reachable(listen))
}

fn table_of(sent: &[Sent]) -> String {
    let mut table = table(["file", "event", "status", "answer"]);
    for sent in sent {
        let answer = if sent.accepted { String::new() } else { sent.answer.clone() };
        table.add_row([sent.file.clone(), or_dash(sent.event.as_ref()), sent.status.to_string(), answer]);
    }
    table.to_string()
}
