//! `cargo bench`: how fast is the ledger on this machine, compared with what one would use instead?
//!
//! `cargo bench -- --seconds 2 --rounds 1 stock` is a shorter run of the figures whose names contain `stock`.
//! `cargo bench -- large` is a run of its own, on a big journal.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "figures are measured, and need no more than what an f64 holds"
)]

mod catch_up;
mod database;
mod floor;
mod large;
mod measure;
mod ours;
mod report;
mod stock;

use std::time::Duration;

use clap::Parser;
use counterfoil::load::Choice;
use sqlx::postgres::PgConnectOptions;

use crate::database::Fallible;
use crate::floor::batched_insert::{self, BatchedInsertBench};
use crate::floor::update_insert::{self, UpdateInsertBench};
use crate::ours::OurBench;
use crate::ours::reading::Histories;
use crate::report::{Figure, Rounds, name, ratio_table};
use crate::stock::StockBench;

#[derive(Debug, Parser)]
#[command(about = "Measures the ledger beside what one would use instead")]
struct Arguments {
    /// Only figures whose name contains one of these; or `large`, for a big journal beside an empty one.
    only: Vec<String>,
    /// For how long each figure is measured in each round.
    #[arg(long, env = "COUNTERFOIL_BENCH_SECONDS", default_value_t = 10)]
    seconds: u64,
    /// How often everything is measured. Medians are reported.
    #[arg(long, env = "COUNTERFOIL_BENCH_ROUNDS", default_value_t = 3)]
    rounds: u32,
    /// How many events the big journal has. For `large`.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Audit the journals that were made. For `large`.
    #[arg(long)]
    verify: bool,
    /// A server for scratch databases, instead of an embedded one.
    #[arg(long, env = "DATABASE_URL")]
    database_url: Option<PgConnectOptions>,
    /// The argument that cargo passes to benchmarks.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The same allocator as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Instead of figures, what is measured on a big journal.
const LARGE: &str = "large";

/// In the order of a round.
const NAMES: [&str; 33] = [
    name::DECIDE,
    name::STOCK_IN_PROCESS_UNIFORM,
    name::STOCK_IN_PROCESS_UNIFORM_TUNED,
    name::IN_PROCESS_UNIFORM,
    name::IN_PROCESS_UNIFORM_512,
    name::IN_PROCESS_ZIPF,
    name::STOCK_IN_PROCESS_HOT,
    name::IN_PROCESS_HOT,
    name::STOCK_HTTP_UNIFORM,
    name::STOCK_HTTP_UNIFORM_TUNED,
    name::STOCK_HTTP_BALANCE,
    name::HTTP_SINGLE_64,
    name::HTTP_SINGLE_256,
    name::HTTP_SINGLE_256_OF_8,
    name::HTTP_SINGLE_256_ALONE,
    name::HTTP_SINGLE_256_OF_8_ALONE,
    name::HTTP_NOTHING_256,
    name::HTTP_HOT_256,
    name::HTTP_HOT_256_OF_8,
    name::STOCK_HTTP_HOT,
    name::UPDATE_INSERT,
    name::UPDATE_INSERT_TRANSACTION,
    name::HTTP_BATCH_100,
    name::HTTP_BATCH_100_OF_8,
    name::HTTP_BATCH_100_ALONE,
    name::BATCHED_INSERT_100,
    name::BATCHED_INSERT_1000,
    name::HTTP_HALF_LOAD,
    name::BUDGETS,
    name::WEBHOOKS,
    name::INBOX,
    name::CATCH_UP,
    name::REPLAY,
];

/// All measurements, each with a database of its own.
struct Sections {
    stock: StockBench,
    tuned: StockBench,
    server: PgConnectOptions,
    histories: Histories,
    update_insert: UpdateInsertBench,
    batched_insert: BatchedInsertBench,
}

impl Sections {
    async fn prepare(server: &PgConnectOptions) -> Fallible<Self> {
        Ok(Self {
            stock: StockBench::prepare(server, stock::POOL_DEFAULT).await?,
            tuned: StockBench::prepare(server, stock::POOL_TUNED).await?,
            server: server.clone(),
            histories: Histories::prepare(server).await?,
            update_insert: UpdateInsertBench::prepare(server).await?,
            batched_insert: BatchedInsertBench::prepare(server).await?,
        })
    }

    async fn measure(&self, name: &'static str, duration: Duration) -> Fallible<Figure> {
        match name {
            name::STOCK_IN_PROCESS_UNIFORM => stock::in_process_uniform(&self.stock, duration).await,
            name::STOCK_IN_PROCESS_UNIFORM_TUNED => {
                stock::in_process_uniform_tuned(&self.tuned, duration).await
            }
            name::STOCK_HTTP_UNIFORM_TUNED => stock::http_uniform_tuned(&self.tuned, duration).await,
            name::STOCK_IN_PROCESS_HOT => stock::in_process_hot(&self.stock, duration).await,
            name::STOCK_HTTP_UNIFORM => stock::http_uniform(&self.stock, duration).await,
            name::STOCK_HTTP_BALANCE => stock::http_balance(&self.stock, duration).await,
            name::STOCK_HTTP_HOT => stock::http_hot(&self.stock, duration).await,
            name::UPDATE_INSERT => update_insert::in_one_statement(&self.update_insert, duration).await,
            name::UPDATE_INSERT_TRANSACTION => {
                update_insert::in_four_round_trips(&self.update_insert, duration).await
            }
            name::BATCHED_INSERT_100 => batched_insert::rows_100(&self.batched_insert, duration).await,
            name::BATCHED_INSERT_1000 => batched_insert::rows_1000(&self.batched_insert, duration).await,
            name::CATCH_UP => self.histories.catch_up().await,
            name::REPLAY => self.histories.replay().await,
            ours => self.measure_ours(ours, duration).await,
        }
    }

    /// Uses a new database each time, since the stock framework's tables are emptied each time, too.
    async fn measure_ours(&self, name: &'static str, duration: Duration) -> Fallible<Figure> {
        let shards = match name {
            name::HTTP_SINGLE_256_OF_8
            | name::HTTP_SINGLE_256_OF_8_ALONE
            | name::HTTP_HOT_256_OF_8
            | name::HTTP_BATCH_100_OF_8 => 8,
            _ => 1,
        };
        let bench = OurBench::prepare(&self.server, shards).await?;
        match name {
            name::DECIDE => ours::reading::decide_alone(&bench, duration).await,
            name::IN_PROCESS_UNIFORM => {
                ours::in_process(name::IN_PROCESS_UNIFORM, Choice::Uniform, &bench, duration).await
            }
            name::IN_PROCESS_UNIFORM_512 => {
                ours::in_process(name::IN_PROCESS_UNIFORM_512, Choice::Uniform, &bench, duration).await
            }
            name::IN_PROCESS_ZIPF => {
                ours::in_process(name::IN_PROCESS_ZIPF, Choice::Zipf, &bench, duration).await
            }
            name::IN_PROCESS_HOT => {
                ours::in_process(name::IN_PROCESS_HOT, Choice::Hot, &bench, duration).await
            }
            name::HTTP_HALF_LOAD => ours::http::at_half_load(&bench, duration).await,
            name::BUDGETS => ours::budgets::settled(&bench, duration).await,
            name::WEBHOOKS => ours::webhooks::acknowledged(&bench, duration).await,
            name::INBOX => ours::webhooks::worked_off(&bench).await,
            over_http => ours::http::measure(over_http, &bench, duration).await,
        }
    }
}

#[tokio::main]
async fn main() -> Fallible<()> {
    // `cargo test --all-targets` also runs this, to check that it builds. Measuring would take minutes.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let arguments = Arguments::parse();
    let own = match arguments.database_url {
        Some(_) => None,
        None => Some(database::OwnServer::start().await?),
    };
    let server = arguments.database_url.clone().or_else(|| own.as_ref().map(database::OwnServer::options));
    let server = server.ok_or("no server to measure on")?;
    database::require_durable(&server).await?;
    let measured = if arguments.only == [LARGE] {
        let duration = Duration::from_secs(arguments.seconds);
        large::run(&server, arguments.events, arguments.verify, duration).await
    } else {
        measure_all(&arguments, &server).await
    };
    if let Some(own) = own {
        own.stop().await;
    }
    measured
}

async fn measure_all(arguments: &Arguments, server: &PgConnectOptions) -> Fallible<()> {
    let sections = Sections::prepare(server).await?;
    let rounds = measure_rounds(arguments, &sections).await?;
    let ratios = rounds.ratios();
    println!("{}\n\n{}", rounds.table(), ratio_table(&ratios));
    println!("\nwritten to {}", rounds.write_summary("summary.json", ratios)?.display());
    Ok(())
}

/// All figures are measured once in each round, so that changes of the machine affect all of them alike.
async fn measure_rounds(arguments: &Arguments, sections: &Sections) -> Fallible<Rounds> {
    let only = &arguments.only;
    let wanted = |name: &&str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
    let duration = Duration::from_secs(arguments.seconds);
    let mut rounds = Rounds::default();
    for round in 1..=arguments.rounds {
        for name in NAMES.iter().filter(|name| wanted(name)) {
            let figure = sections.measure(name, duration).await?;
            eprintln!("round {round} of {}: {name} {:.0} a second", arguments.rounds, figure.commands_per_s);
            rounds.add(figure);
        }
    }
    Ok(rounds)
}
