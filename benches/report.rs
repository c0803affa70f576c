//! How is the result reported? As a table for people, and as `target/bench/summary.json` for programs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use comfy_table::{CellAlignment, Table};
use counterfoil::load::{Histogram, LoadReport};
use serde::Serialize;

/// The names of figures. Ratios are computed from these.
pub mod name {
    pub const STOCK_IN_PROCESS_UNIFORM: &str = "stock_in_process_uniform";
    pub const STOCK_IN_PROCESS_UNIFORM_TUNED: &str = "stock_in_process_uniform_pool_64";
    pub const STOCK_HTTP_UNIFORM_TUNED: &str = "stock_http_uniform_pool_64";
    pub const STOCK_IN_PROCESS_HOT: &str = "stock_in_process_hot";
    pub const STOCK_HTTP_UNIFORM: &str = "stock_http_uniform";
    pub const STOCK_HTTP_BALANCE: &str = "stock_http_uniform_with_balance";
    pub const STOCK_HTTP_HOT: &str = "stock_http_hot";
    pub const UPDATE_INSERT: &str = "update_insert_64";
    pub const UPDATE_INSERT_TRANSACTION: &str = "update_insert_64_in_four_round_trips";
    pub const BATCHED_INSERT_100: &str = "batched_insert_100";
    pub const BATCHED_INSERT_1000: &str = "batched_insert_1000";
    pub const IN_PROCESS_UNIFORM: &str = "in_process_uniform";
    pub const IN_PROCESS_UNIFORM_512: &str = "in_process_uniform_512";
    pub const IN_PROCESS_ZIPF: &str = "in_process_zipf";
    pub const IN_PROCESS_HOT: &str = "in_process_hot";
    pub const DECIDE: &str = "decide";
    pub const HTTP_SINGLE_64: &str = "http_single_64";
    pub const HTTP_SINGLE_256: &str = "http_single_256";
    pub const HTTP_SINGLE_256_ALONE: &str = "http_single_256_without_read_models";
    pub const HTTP_NOTHING_256: &str = "http_nothing_256";
    pub const HTTP_HOT_256: &str = "http_hot_256";
    pub const HTTP_BATCH_100: &str = "http_batch_100";
    pub const HTTP_SINGLE_256_OF_8: &str = "http_single_256_of_8_shards";
    pub const HTTP_SINGLE_256_OF_8_ALONE: &str = "http_single_256_of_8_shards_without_read_models";
    pub const HTTP_HOT_256_OF_8: &str = "http_hot_256_of_8_shards";
    pub const HTTP_BATCH_100_OF_8: &str = "http_batch_100_of_8_shards";
    pub const HTTP_BATCH_100_ALONE: &str = "http_batch_100_without_read_models";
    pub const BUDGETS: &str = "budgets_of_1000_workers_credits";
    pub const HTTP_HALF_LOAD: &str = "http_single_at_half_load";
    pub const WEBHOOKS: &str = "webhooks_at_200_a_second";
    pub const INBOX: &str = "inbox_worked_off";
    pub const CATCH_UP: &str = "catch_up";
    pub const REPLAY: &str = "replay";
}

/// One measurement: throughput and latency.
/// The meaning of "command" depends on the figure: a row for batched inserts, an event for catch-up and replay, and a
/// credit for budgets.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub name: &'static str,
    pub commands_per_s: f64,
    /// Of a request, so of a whole batch if there are batches. `None`: nobody waits for one.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// How far the read models were behind at most. `None`: they did not follow, or are what is measured.
    pub lag_ms: Option<f64>,
}

impl Figure {
    /// A figure of `commands` in `elapsed`, with the latencies of single commands or batches.
    pub fn new(name: &'static str, commands: u64, elapsed: Duration, latencies: &Histogram) -> Self {
        let waited = |per_mille| Some(latencies.at_per_mille(per_mille).as_secs_f64() * 1e3);
        let commands_per_s = commands as f64 / elapsed.as_secs_f64();
        Self { name, commands_per_s, p50_ms: waited(500), p99_ms: waited(990), lag_ms: None }
    }

    /// The same, if nobody waits for a single command.
    pub fn without_latencies(self) -> Self {
        Self { p50_ms: None, p99_ms: None, ..self }
    }

    /// A figure of a load run. Only commands that succeeded count.
    pub fn of_load(name: &'static str, report: &LoadReport) -> Self {
        let commands_per_s = report.items_accepted as f64 * 1e3 / report.elapsed_ms as f64;
        let millis = |micros: u64| Some(micros as f64 / 1e3);
        Self {
            name,
            commands_per_s,
            p50_ms: millis(report.p50_us),
            p99_ms: millis(report.p99_us),
            lag_ms: None,
        }
    }
}

impl Figure {
    /// The same, with how far the read models were behind.
    pub fn behind(self, lag: Option<Duration>) -> Self {
        Self { lag_ms: lag.map(|lag| lag.as_secs_f64() * 1e3), ..self }
    }
}

/// All rounds of all figures, in the order in which they were first measured.
#[derive(Debug, Default)]
pub struct Rounds {
    by_name: Vec<(&'static str, Vec<Figure>)>,
}

#[derive(Debug, Serialize)]
struct Summary<'rounds> {
    figures: &'rounds [Figure],
    /// Commands a second in each round, to show how much they differ.
    rounds: BTreeMap<&'static str, Vec<f64>>,
    ratios: BTreeMap<&'static str, Option<f64>>,
}

impl Rounds {
    pub fn add(&mut self, figure: Figure) {
        match self.by_name.iter_mut().find(|(name, _)| *name == figure.name) {
            Some((_, figures)) => figures.push(figure),
            None => self.by_name.push((figure.name, vec![figure])),
        }
    }

    /// Each figure's medians over the rounds.
    pub fn medians(&self) -> Vec<Figure> {
        self.by_name.iter().map(|(name, figures)| median_figure(name, figures)).collect()
    }

    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["", "a second", "p50 ms", "p99 ms", "behind ms", "rounds, a second"]);
        for (figure, (_, rounds)) in self.medians().iter().zip(&self.by_name) {
            let each: Vec<_> = rounds.iter().map(|round| format!("{:.0}", round.commands_per_s)).collect();
            table.add_row([
                figure.name.to_owned(),
                format!("{:.0}", figure.commands_per_s),
                millis(figure.p50_ms),
                millis(figure.p99_ms),
                figure.lag_ms.map_or("–".to_owned(), |lag| format!("{lag:.0}")),
                each.join(" "),
            ]);
        }
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        table
    }

    /// Of those figures that are measured in each round.
    pub fn ratios(&self) -> BTreeMap<&'static str, Option<f64>> {
        ratios(&self.medians())
    }

    /// Writes a file in `target/bench`, and returns its path.
    pub fn write_summary(
        &self,
        file: &str,
        ratios: BTreeMap<&'static str, Option<f64>>,
    ) -> std::io::Result<PathBuf> {
        let medians = self.medians();
        let rounds = self
            .by_name
            .iter()
            .map(|(name, figures)| (*name, figures.iter().map(|figure| figure.commands_per_s).collect()));
        let summary = Summary { figures: &medians, rounds: rounds.collect(), ratios };
        let directory: PathBuf = [env!("CARGO_MANIFEST_DIR"), "target", "bench"].iter().collect();
        std::fs::create_dir_all(&directory)?;
        let path = directory.join(file);
        std::fs::write(&path, serde_json::to_vec_pretty(&summary)?)?;
        Ok(path)
    }
}

pub fn ratio_table(ratios: &BTreeMap<&'static str, Option<f64>>) -> Table {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    for (name, ratio) in ratios {
        table.add_row([
            (*name).to_owned(),
            ratio.map_or("not measured".to_owned(), |ratio| format!("{ratio:.2}")),
        ]);
    }
    table
}

/// Ratios between figures. `None`: one of them was not measured.
fn ratios(medians: &[Figure]) -> BTreeMap<&'static str, Option<f64>> {
    let find = |name| medians.iter().find(|figure| figure.name == name);
    let speed = |name| find(name).map(|figure| figure.commands_per_s);
    let ratio = |ours: Option<f64>, theirs: Option<f64>| Some(ours? / theirs?);
    // The faster of the batch sizes, since the comparison is with the most that Postgres can do.
    let batched = [name::BATCHED_INSERT_100, name::BATCHED_INSERT_1000].into_iter().filter_map(speed);
    let batched = batched.reduce(f64::max);
    let single = speed(name::HTTP_SINGLE_256);
    let alone = speed(name::HTTP_SINGLE_256_ALONE);
    let batch_alone = speed(name::HTTP_BATCH_100_ALONE);
    // With the number of clients with which it is fastest; the stock framework is not faster with more than 64.
    let uniform = [name::IN_PROCESS_UNIFORM, name::IN_PROCESS_UNIFORM_512].into_iter().filter_map(speed);
    let uniform = uniform.reduce(f64::max);
    let hot = speed(name::IN_PROCESS_HOT);
    BTreeMap::from([
        ("in_process_uniform_vs_stock", ratio(uniform, speed(name::STOCK_IN_PROCESS_UNIFORM))),
        ("in_process_hot_vs_stock", ratio(hot, speed(name::STOCK_IN_PROCESS_HOT))),
        ("hot_vs_uniform", ratio(hot, speed(name::IN_PROCESS_UNIFORM))),
        ("http_single_vs_stock_http", ratio(single, speed(name::STOCK_HTTP_UNIFORM))),
        ("http_single_vs_stock_http_with_balance", ratio(single, speed(name::STOCK_HTTP_BALANCE))),
        ("http_single_vs_update_insert", ratio(single, speed(name::UPDATE_INSERT_TRANSACTION))),
        ("http_single_vs_update_insert_in_one_statement", ratio(single, speed(name::UPDATE_INSERT))),
        ("http_single_vs_without_read_models", ratio(single, alone)),
        (
            "http_single_without_read_models_vs_update_insert",
            ratio(alone, speed(name::UPDATE_INSERT_TRANSACTION)),
        ),
        ("http_single_without_read_models_vs_one_statement", ratio(alone, speed(name::UPDATE_INSERT))),
        (
            "http_single_without_read_models_vs_stock_http_with_balance",
            ratio(alone, speed(name::STOCK_HTTP_BALANCE)),
        ),
        ("http_single_without_read_models_vs_nothing", ratio(alone, speed(name::HTTP_NOTHING_256))),
        ("http_batch_without_read_models_vs_batched_insert", ratio(batch_alone, batched)),
        ("http_lag_ms", find(name::HTTP_SINGLE_256).and_then(|figure| figure.lag_ms)),
        ("http_hot_vs_uniform", ratio(speed(name::HTTP_HOT_256), single)),
        ("http_batch_vs_batched_insert", ratio(speed(name::HTTP_BATCH_100), batched)),
        ("eight_shards_to_one_http_single", ratio(speed(name::HTTP_SINGLE_256_OF_8), single)),
        (
            "eight_shards_to_one_http_single_without_read_models",
            ratio(speed(name::HTTP_SINGLE_256_OF_8_ALONE), alone),
        ),
        ("eight_shards_to_one_http_hot", ratio(speed(name::HTTP_HOT_256_OF_8), speed(name::HTTP_HOT_256))),
        (
            "eight_shards_to_one_http_batch",
            ratio(speed(name::HTTP_BATCH_100_OF_8), speed(name::HTTP_BATCH_100)),
        ),
        ("budgets_credits_per_s", speed(name::BUDGETS)),
        ("catch_up_events_per_s", speed(name::CATCH_UP)),
        ("replay_events_per_s", speed(name::REPLAY)),
        ("webhook_p99_ms", find(name::WEBHOOKS).and_then(|figure| figure.p99_ms)),
        ("inbox_events_per_s", speed(name::INBOX)),
        ("http_p99_ms_at_half_load", find(name::HTTP_HALF_LOAD).and_then(|figure| figure.p99_ms)),
    ])
}

fn median_figure(name: &'static str, figures: &[Figure]) -> Figure {
    Figure {
        name,
        commands_per_s: median(figures.iter().map(|figure| figure.commands_per_s)).unwrap_or(0.0),
        p50_ms: median(figures.iter().filter_map(|figure| figure.p50_ms)),
        p99_ms: median(figures.iter().filter_map(|figure| figure.p99_ms)),
        // A promise is kept in all rounds.
        lag_ms: figures.iter().filter_map(|figure| figure.lag_ms).reduce(f64::max),
    }
}

/// The middle value, or the mean of the two middle values.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

fn millis(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.2}"))
}
