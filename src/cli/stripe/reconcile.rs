//! `counterfoil stripe reconcile`: does the ledger say the same as Stripe?

use std::sync::Arc;

use chrono::TimeDelta;
use clap::Args;

use crate::{
    app::{stripe_mode, switch},
    config::LoadedCatalog,
    ledger::Ledger,
    stripe::{
        Deployment,
        inbound::{
            inbox::Inbox,
            reconcile::{DAYS_DEFAULT, ReconcileOptions, ReconcileReport, Reconciler, Subject},
        },
    },
};

use super::super::{
    exit::{CliFailure, CliResult, Exit},
    flags::ServeFlags,
    output::{Output, or_dash, table},
    session::{self, CliSession},
};

pub(super) const HELP: &str = "\
Reads Stripe's events of the last 30 days, and its customers, subscriptions, invoices, checkouts, payments, refunds, \
credit notes and disputes, and says what the ledger does not know, or knows with another amount or state, and why. \
What the ledger names and Stripe does not list is asked for one by one. What could not be compared is said. With \
--repair, events that never came are put into the inbox, and what no event tells is told by one that is made of the \
object; late events count once all the same. What no event corrects is left to a person. Nothing is changed at \
Stripe. Exit code 1 says that something is still not as Stripe says.

Examples:
  counterfoil stripe reconcile
  counterfoil stripe reconcile --repair --since 365 --json";

#[derive(Args)]
pub(in crate::cli) struct Reconcile {
    /// Put lost events into the inbox
    #[arg(long)]
    repair: bool,
    /// How many days back objects are compared
    #[arg(long, default_value_t = DAYS_DEFAULT, value_name = "DAYS")]
    since: u16,
    #[command(flatten)]
    flags: ServeFlags,
}

impl Reconcile {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let report = session::with_catalog(&self.flags, async |session: &CliSession, catalog| {
            self.compare(session, catalog, output).await
        })
        .await?;
        output.answer(&report, || shown(&report))?;
        Ok(if report.remaining() == 0 { Exit::Success } else { Exit::No })
    }

    async fn compare(
        &self,
        session: &CliSession,
        catalog: LoadedCatalog,
        output: Output,
    ) -> Result<ReconcileReport, CliFailure> {
        let switch = switch(&session.config.billing, catalog.catalog.payments.enabled);
        let client = switch.map_err(CliFailure::broken)?.client().cloned().ok_or_else(|| {
            let because = "Stripe cannot be asked: it needs STRIPE_SECRET_KEY, no COUNTERFOIL_BILLING=off, and payments in \
                           the catalog";
            CliFailure::Usage(because.to_owned())
        })?;
        let started = Ledger::start(session.pool.clone(), Arc::new(catalog.catalog), session.clock.clone());
        let (ledger, running) = started.await.map_err(CliFailure::broken)?;
        let deployment = Deployment::new(stripe_mode(session.config.mode));
        let inbox = Inbox::new(session.pool.clone());
        let order = ReconcileOptions {
            since: session.clock.now().minus(TimeDelta::days(self.since.into())),
            fetch_events: self.repair,
            rebuild_events: self.repair,
        };
        let progress = output.progress("asking Stripe", 0);
        let reconciler = Reconciler::new(client, inbox, ledger, deployment);
        let report = reconciler
            .run(order, |what, count| {
                progress.set_message(format!("{what}: {count} read"));
                progress.set_length(count);
                progress.set_position(count);
            })
            .await;
        progress.finish_and_clear();
        // The ledger ends when it is no longer used.
        drop(reconciler);
        running.finished().await;
        report.map_err(CliFailure::broken)
    }
}

fn shown(report: &ReconcileReport) -> String {
    let events = report.read.get("event").copied().unwrap_or(0);
    let asked = report.read.get("asked").copied().unwrap_or(0);
    let listed = report.read.values().sum::<u64>().saturating_sub(events).saturating_sub(asked);
    let mut read = format!("{events} events and {listed} objects were read at Stripe.");
    if asked > 0 {
        read = format!("{read} {asked} that it does not list were read one by one.");
    }
    if report.is_the_same() {
        return format!("{read} The ledger says the same.");
    }
    let mut parts = vec![read];
    if !report.not_compared.is_empty() {
        parts.push(not_compared(report));
    }
    if !report.missing_events.is_empty() {
        parts.push(missing_events(report));
    }
    if !report.drifts.is_empty() {
        parts.push(drifts(report));
    }
    parts.push(match report.remaining() {
        0 if report.found_nothing() => "The ledger says the same of all else.".to_owned(),
        0 => "All differences were corrected.".to_owned(),
        remaining => format!("{remaining} differences are left. docs/STRIPE.md says what can be done."),
    });
    parts.join("\n")
}

fn missing_events(report: &ReconcileReport) -> String {
    let mut table = table(["event that never came", "type", "made", "about", "now"]);
    for event in &report.missing_events {
        table.add_row([
            event.event.to_string(),
            event.kind.clone(),
            event.created_at.to_string(),
            or_dash(event.object.as_ref()),
            now(event.repaired).to_owned(),
        ]);
    }
    table.to_string()
}

fn not_compared(report: &ReconcileReport) -> String {
    let mut table = table(["could not be compared", "object", "account", "because"]);
    for left_out in &report.not_compared {
        table.add_row([
            left_out.subject.map_or("an event", Subject::as_str).to_owned(),
            or_dash(left_out.object.as_ref()),
            or_dash(left_out.account.as_ref()),
            left_out.because.clone(),
        ]);
    }
    table.to_string()
}

fn drifts(report: &ReconcileReport) -> String {
    let mut table = table(["object", "account", "Stripe says", "the ledger says", "told by", "cause", "now"]);
    for drift in &report.drifts {
        table.add_row([
            drift.object.to_string(),
            or_dash(drift.account.as_ref()),
            drift.stripe_says.clone(),
            drift.ledger_says.clone(),
            drift.event_type.to_owned(),
            drift.cause.sentence(),
            now(drift.repaired).to_owned(),
        ]);
    }
    table.to_string()
}

const fn now(repaired: bool) -> &'static str {
    if repaired { "corrected" } else { "unchanged" }
}
