//! What does the program say about itself while it runs? Logs for people or for machines, and metrics.

mod line;

use std::{io::IsTerminal, sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

pub use line::JsonLine;

use crate::config::{LogConfig, LogFormat};

/// How often what the histograms have collected is put in order. Without that, they would grow.
pub const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Where the counts of a duration's histogram are cut, in seconds.
const SECONDS_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

/// Where the counts of a number's histogram are cut.
const COUNT_BUCKETS: [f64; 13] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0];

/// One process has one recorder, however many servers a test starts in it.
static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to log, to the standard error stream, so that what a command answers stays apart from it.
///
/// The first call of a process counts; later ones change nothing.
pub fn start_logs(config: &LogConfig) {
    let terminal = std::io::stderr().is_terminal();
    let json = match config.format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    // The filter was checked with the other settings.
    let filter = EnvFilter::new(&config.filter);
    let registry = tracing_subscriber::registry().with(filter);
    let started = if json {
        let layer = fmt::layer().event_format(JsonLine);
        registry.with(layer.with_writer(std::io::stderr)).try_init()
    } else {
        let layer = fmt::layer().compact().with_target(false).with_ansi(terminal);
        registry.with(layer.with_writer(std::io::stderr)).try_init()
    };
    // Somebody else logs already, such as a test.
    drop(started);
}

/// Begins to count, and answers with what `/metrics` shows. `None` where another recorder is there already.
pub fn start_metrics() -> Option<PrometheusHandle> {
    METRICS.get_or_init(install).clone()
}

fn install() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)
        .and_then(|builder| builder.set_buckets(&COUNT_BUCKETS));
    match builder.and_then(PrometheusBuilder::install_recorder) {
        Ok(handle) => Some(handle),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "there are no metrics");
            None
        }
    }
}

/// Keeps the metrics small, for as long as it is polled.
pub async fn keep_up(metrics: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        metrics.run_upkeep();
    }
}
