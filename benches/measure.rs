//! How are commands measured that clients in this process send one at a time?

use std::future::Future;
use std::time::{Duration, Instant};

use counterfoil::load::Histogram;
use tokio::task::JoinSet;

use crate::database::Fallible;
use crate::report::Figure;

/// Runs one client for each item of `clients` until `duration` is over, and adds their results.
/// A client gets the time at which it stops, and returns the latencies of its commands.
pub async fn run_clients<Client, Run, Running>(
    name: &'static str,
    clients: Vec<Client>,
    duration: Duration,
    run: Run,
) -> Fallible<Figure>
where
    Run: Fn(Client, Instant) -> Running,
    Running: Future<Output = Fallible<Histogram>> + Send + 'static,
{
    let started = Instant::now();
    let mut running = JoinSet::new();
    for client in clients {
        running.spawn(run(client, started + duration));
    }
    let mut latencies = Histogram::default();
    while let Some(finished) = running.join_next().await {
        latencies.add(&finished??);
    }
    Ok(Figure::new(name, latencies.count(), started.elapsed(), &latencies))
}
