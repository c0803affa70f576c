//! `counterfoil inbox`: what did Stripe deliver, what became of it, and what should be done about it?

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use serde_json::{Value, json};

use crate::stripe::inbound::inbox::{Inbox, InboxPage, InboxState, InboxSummary, Operated};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::{Output, or_dash, table},
    session::{self, CliSession},
};

const LIST_HELP: &str = "\
Examples:
  counterfoil inbox list
  counterfoil inbox list --state dead --json";

const RETRY_HELP: &str = "\
A running server takes events up within a second; without one, they wait for the next start.

Examples:
  counterfoil inbox retry evt_1QLedger0001
  counterfoil inbox retry --not-handled-yet";

#[derive(Subcommand)]
pub(super) enum InboxCommand {
    /// List events, the newest first
    #[command(after_help = LIST_HELP)]
    List(List),
    /// Show one event, with the stored part of its document
    Show {
        /// The event's id (evt_…)
        event: String,
        #[command(flatten)]
        flags: DatabaseFlags,
    },
    /// Process events again
    #[command(after_help = RETRY_HELP)]
    Retry(Retry),
    /// Discard an event, which is then never processed
    Discard {
        /// The event's id (evt_…)
        event: String,
        /// The reason, which is stored with the event
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        flags: DatabaseFlags,
    },
}

#[derive(Args)]
pub(super) struct List {
    /// Only events in this state
    #[arg(long, value_parser = PossibleValuesParser::new(InboxState::ALL.map(InboxState::as_str)))]
    state: Option<String>,
    /// Where to go on in the list: the `next` of the page before
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
    /// The most events to list
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    limit: u32,
    #[command(flatten)]
    flags: DatabaseFlags,
}

#[derive(Args)]
pub(super) struct Retry {
    /// The events' ids (evt_…)
    #[arg(required_unless_present = "not_handled_yet", value_name = "EVENT")]
    events: Vec<String>,
    /// All events that an earlier release could not handle
    #[arg(long, conflicts_with = "events")]
    not_handled_yet: bool,
    #[command(flatten)]
    flags: DatabaseFlags,
}

impl InboxCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        match self {
            Self::List(list) => list.run(output).await,
            Self::Show { event, flags } => show(&event, &flags, output).await,
            Self::Retry(retry) => retry.run(output).await,
            Self::Discard { event, reason, flags } => discard(&event, &reason, &flags, output).await,
        }
    }
}

impl List {
    async fn run(self, output: Output) -> CliResult {
        let Self { state, before, limit, flags } = self;
        let state = state.as_deref().and_then(InboxState::parse);
        let page = session::with(&flags, async |session: &CliSession| {
            let inbox = Inbox::new(session.pool.clone());
            inbox.list(state, before, limit).await.map_err(CliFailure::broken)
        })
        .await?;
        output.answer(&page, || page_of(&page))?;
        Ok(Exit::Success)
    }
}

async fn show(event: &str, flags: &DatabaseFlags, output: Output) -> CliResult {
    let entry = session::with(flags, async |session: &CliSession| {
        Inbox::new(session.pool.clone()).find(event).await.map_err(CliFailure::broken)
    })
    .await?;
    let entry = entry.ok_or_else(|| not_there(event))?;
    let body = match (entry.shown(), &entry.body) {
        (Ok(shown), _) => shown.unwrap_or_else(|| Value::from("The document is no longer stored.")),
        // A document that is not JSON is shown as it is.
        (Err(_), body) => {
            Value::from(String::from_utf8_lossy(body.as_deref().unwrap_or_default()).into_owned())
        }
    };
    let summary = entry.summary;
    output.answer(&json!({ "event": summary, "body": body }), || {
        let text = body.as_str().map_or_else(|| format!("{body:#}"), ToOwned::to_owned);
        format!("{}\n{text}", lines_of(&summary))
    })?;
    Ok(Exit::Success)
}

impl Retry {
    async fn run(self, output: Output) -> CliResult {
        let Self { events, not_handled_yet, flags } = self;
        let retried = session::with(&flags, async |session: &CliSession| {
            let inbox = Inbox::new(session.pool.clone());
            let at = session.clock.now();
            if not_handled_yet {
                return inbox.reprocess(at).await.map_err(CliFailure::broken);
            }
            let mut retried = 0_u64;
            for event in &events {
                succeed(
                    event,
                    inbox.retry(event, at).await.map_err(CliFailure::broken)?,
                    "be processed again",
                )?;
                retried = retried.saturating_add(1);
            }
            Ok(retried)
        })
        .await?;
        output.answer(&json!({ "retried": retried }), || {
            format!("{retried} events will be processed again.")
        })?;
        Ok(Exit::Success)
    }
}

async fn discard(event: &str, reason: &str, flags: &DatabaseFlags, output: Output) -> CliResult {
    session::with(flags, async |session: &CliSession| {
        let inbox = Inbox::new(session.pool.clone());
        let operated = inbox.discard(event, reason, session.clock.now()).await.map_err(CliFailure::broken)?;
        succeed(event, operated, "be discarded")
    })
    .await?;
    output.answer(&json!({ "discarded": event }), || format!("{event} is discarded."))?;
    Ok(Exit::Success)
}

fn succeed(event: &str, operated: Operated, what: &str) -> Result<(), CliFailure> {
    match operated {
        Operated::Done => Ok(()),
        Operated::NotFound => Err(not_there(event)),
        Operated::NotPossible { state } => {
            Err(CliFailure::No(format!("{event} is {}, and cannot {what}", state.as_str())))
        }
        Operated::Forgotten => {
            Err(CliFailure::No(format!("{event} cannot {what}: its document is no longer stored")))
        }
    }
}

fn not_there(event: &str) -> CliFailure {
    CliFailure::No(format!("the inbox has no event `{event}`"))
}

fn page_of(page: &InboxPage) -> String {
    let mut table = table(["event", "type", "state", "received", "attempts", "account", "reason"]);
    for event in &page.events {
        table.add_row([
            event.event_id.clone(),
            event.event_type.clone(),
            event.state.as_str().to_owned(),
            event.received_at.to_string(),
            event.attempts.to_string(),
            or_dash(event.account.as_ref()),
            event.reason.clone().unwrap_or_default(),
        ]);
    }
    match page.next {
        None => table.to_string(),
        Some(next) => format!("{table}\nThere are more: --before {next}"),
    }
}

fn lines_of(event: &InboxSummary) -> String {
    let mut table = table(["", ""]);
    for (name, value) in [
        ("event", event.event_id.clone()),
        ("type", event.event_type.clone()),
        ("state", event.state.as_str().to_owned()),
        ("reason", or_dash(event.reason.as_ref())),
        ("attempts", event.attempts.to_string()),
        ("next attempt", or_dash(event.next_attempt_at)),
        ("made", event.created_at.to_string()),
        ("received", event.received_at.to_string()),
        ("changed", event.changed_at.to_string()),
        ("mode", if event.livemode { "live" } else { "test" }.to_owned()),
        ("proof", event.proof.as_str().to_owned()),
        ("secret", or_dash(event.secret.as_ref())),
        ("customer", or_dash(event.customer.as_ref())),
        ("account", or_dash(event.account.as_ref())),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    table.to_string()
}
