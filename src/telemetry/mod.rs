//! What does the program report while it runs? Logs for people or programs, and metrics.

mod line;

use std::{io::IsTerminal, sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

pub use line::JsonLine;

use crate::config::{LogConfig, LogFormat};

/// How often the samples of histograms are merged. Without that they would use ever more memory.
pub const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The bounds of the buckets of durations, in seconds.
const SECONDS_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

/// The bounds of the buckets of counts.
const COUNT_BUCKETS: [f64; 13] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0];

/// A process has only one recorder, even if a test starts several servers in it.
static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts logging to the standard error stream, so that it is separate from what a command prints.
///
/// Only the first call in a process has an effect.
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
    // Logging was started before, for example by a test.
    drop(started);
}

/// Starts collecting metrics, and returns the handle for `/metrics`. `None`: there is another recorder.
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

/// Merges samples regularly, while it is polled.
pub async fn keep_up(metrics: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        metrics.run_upkeep();
    }
}
