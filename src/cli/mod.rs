//! What can be done from the command line? One file per command; each prints a table for people, or JSON with `--json`.

mod audit;
mod banner;
mod bench;
mod catalog;
#[cfg(feature = "sandbox")]
mod demo;
mod doctor;
mod exit;
mod files;
mod flags;
mod import;
mod inbox;
mod keys;
mod migrate;
mod openapi;
mod output;
mod projections;
mod report;
#[cfg(feature = "sandbox")]
mod sandbox;
mod serve;
#[cfg(feature = "sandbox")]
mod serve_sandbox;
mod session;
mod shards;
mod signals;
mod stripe;
#[cfg(any(test, not(feature = "sandbox")))]
#[cfg_attr(feature = "sandbox", expect(dead_code, reason = "a build with the sandbox only tests it"))]
mod without_sandbox;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

#[cfg(feature = "sandbox")]
use self::{demo::Demo as DemoCommand, sandbox::SandboxCommand, serve_sandbox::Sandboxed};
use exit::CliResult;
use output::Output;
#[cfg(not(feature = "sandbox"))]
use without_sandbox::{
    NoSandbox as Sandboxed, NoSandboxCommand as DemoCommand, NoSandboxCommand as SandboxCommand,
};

/// How long background tasks may delay the end of the program.
const LINGER: Duration = Duration::from_millis(500);

const HELP: &str = "\
Exit codes:
  0  it worked
  1  the answer is no: something differs, was refused, is missing, or was left out
  2  the command or a setting is wrong; nothing was done
  3  something that is needed does not work: the database, the network, a file
  130  a signal ended it at once; after a first signal, serve, sandbox and import
       finish what they have begun, and a second one ends them

Examples:
  counterfoil serve
  counterfoil keys create --name backend --scope deduct --scope read
  counterfoil stripe send event.json
  counterfoil audit verify --json";

/// An exact, provable credit ledger for products that sell credits.
#[derive(Parser)]
#[command(name = "counterfoil", version, after_help = HELP, max_term_width = 110)]
struct Arguments {
    /// Answer with JSON
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Subcommand)]
enum CliCommand {
    /// Serve HTTP; without DATABASE_URL, with a PostgreSQL of its own
    Serve(serve::Serve),
    /// Run a stand-in for Stripe, to try things out with
    Sandbox(SandboxCommand),
    /// Live through a made-up year of a business in a new database, and serve it
    Demo(DemoCommand),
    /// Bring the database's tables up to date, which `serve` does too
    Migrate(migrate::Migrate),
    /// Check the database: settings, rights, room, clocks, and the time of a commit
    Doctor(doctor::DatabaseDoctor),
    /// Check catalog files
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Make, list and end API keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Set Stripe up, and send events
    #[command(subcommand)]
    Stripe(stripe::StripeCommand),
    /// See which webhooks were delivered, and process them again
    #[command(subcommand)]
    Inbox(inbox::InboxCommand),
    /// Import accounts that were kept elsewhere
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// See and mend the read models
    #[command(subcommand)]
    Projections(projections::ProjectionsCommand),
    /// See the figures of the business
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// See the shards of the journal, and get more
    #[command(subcommand)]
    Shards(shards::ShardsCommand),
    /// Replay accounts and verify the journal
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Measure a running server for a few seconds
    Bench(bench::Bench),
    /// Print the description of the HTTP API, OpenAPI 3.1
    #[command(name = "openapi")]
    OpenApi(openapi::OpenApi),
}

/// Runs the command of the arguments, and returns the exit code of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::of_arguments(&error),
    };
    let output = Output::new(arguments.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.end(Err(exit::CliFailure::broken(error))),
    };
    let answer = runtime.block_on(run(arguments.command, output));
    runtime.shutdown_timeout(LINGER);
    output.end(answer)
}

async fn run(command: CliCommand, output: Output) -> CliResult {
    match command {
        CliCommand::Serve(serve) => serve.run(output).await,
        CliCommand::Sandbox(sandbox) => sandbox.run(output).await,
        CliCommand::Demo(demo) => demo.run(output).await,
        CliCommand::Migrate(migrate) => migrate.run(output).await,
        CliCommand::Doctor(doctor) => doctor.run(output).await,
        CliCommand::Catalog(command) => command.run(output).await,
        CliCommand::Keys(command) => command.run(output).await,
        CliCommand::Stripe(command) => command.run(output).await,
        CliCommand::Inbox(command) => command.run(output).await,
        CliCommand::Import(command) => command.run(output).await,
        CliCommand::Projections(command) => command.run(output).await,
        CliCommand::Report(command) => command.run(output).await,
        CliCommand::Shards(command) => command.run(output).await,
        CliCommand::Audit(command) => command.run(output).await,
        CliCommand::Bench(bench) => bench.run(output).await,
        CliCommand::OpenApi(openapi::OpenApi {}) => openapi::OpenApi::run(output),
    }
}
