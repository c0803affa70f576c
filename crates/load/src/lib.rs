//! How many commands a second does a server answer, and how long does one take?
//!
//! This load generator speaks only as much HTTP/1.1 as it needs.
//! It usually runs on the same machine as the server and the database, so that the processor time that it uses reduces
//! the measured figure.
//! So requests are rendered once and overwritten in place, responses are read but not parsed, connections share only
//! one counter, and all connections of a thread use a single-threaded runtime, where waking a task never wakes another
//! processor.
//!
//! Each connection has one request in flight, like a client of a backend service. There is no pipelining.

mod accounts;
mod connection;
mod form;
mod histogram;
mod random;
mod report;
mod response;
mod schedule;
mod target;

use std::sync::Arc;

pub use accounts::{Choice, Chooser, LoadAccounts};
pub use form::RequestForm;
pub use histogram::Histogram;
pub use random::Random;
pub use report::{LoadReport, Statuses};
pub use schedule::{Pace, Until};
pub use target::LoadTarget;

use connection::Connection;
use form::Rendered;
use report::ConnectionTally;
use schedule::RequestSchedule;

/// Which requests are sent, how often and for how long.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    pub target: LoadTarget,
    pub form: RequestForm,
    pub accounts: LoadAccounts,
    /// How many connections are kept open. Each has one request in flight.
    pub connections: usize,
    /// How many threads share the connections. Use one if the server is on the same machine.
    pub threads: usize,
    pub pace: Pace,
    pub until: Until,
}

/// Why there is no report. A refusal by the server is counted by its status, and is not an error here.
#[derive(Debug, thiserror::Error)]
pub enum LoadRunError {
    #[error("the base URL must look like http://127.0.0.1:8080, not `{0}`")]
    BaseUrl(String),
    #[error("could not connect to {address}")]
    Connect {
        address: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the server's answer is not one that this client reads: {0}")]
    Malformed(&'static str),
    #[error("could not start a thread's runtime")]
    Runtime(#[source] std::io::Error),
    #[error("a thread or connection stopped before it could report")]
    Stopped(#[from] tokio::task::JoinError),
}

/// Runs `plan` and reports what the server answered. Connecting is not measured.
///
/// If a connection breaks, its request counts as unanswered, and it is opened again.
/// The run only fails if that fails, or if an answer is not HTTP/1.1 with a length.
pub async fn run(plan: LoadPlan) -> Result<LoadReport, LoadRunError> {
    let mut shares = share_connections(&plan).await?;
    let schedule = Arc::new(RequestSchedule::start(plan.pace, plan.until));
    let threads: Vec<_> = shares
        .drain(..)
        .map(|share| {
            let schedule = Arc::clone(&schedule);
            tokio::task::spawn_blocking(move || drive_share(share, schedule))
        })
        .collect();
    let mut total = ConnectionTally::default();
    for thread in threads {
        total.add(&thread.await??);
    }
    Ok(total.report(schedule.started.elapsed()))
}

/// Opens all connections before the measurement starts, and divides them among the threads.
async fn share_connections(plan: &LoadPlan) -> Result<Vec<Vec<Connection>>, LoadRunError> {
    let threads = plan.threads.max(1);
    let run = Random::from_clock().next_u64();
    let chooser = Chooser::new(&plan.accounts);
    let rendered = Rendered::new(&plan.form, &plan.target, &plan.accounts.prefix, run);
    let mut shares: Vec<Vec<Connection>> = std::iter::repeat_with(Vec::new).take(threads).collect();
    for (number, place) in (0..plan.connections.max(1)).zip((0..threads).cycle()) {
        let connection = Connection::open(&plan.target, rendered.clone(), chooser.clone(), number).await?;
        if let Some(share) = shares.get_mut(place) {
            share.push(connection);
        }
    }
    Ok(shares)
}

fn drive_share(
    share: Vec<Connection>,
    schedule: Arc<RequestSchedule>,
) -> Result<ConnectionTally, LoadRunError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LoadRunError::Runtime)?;
    runtime.block_on(async {
        // Each connection has its own task, which is only woken for its own socket.
        let driven: Vec<_> = share
            .into_iter()
            .map(|connection| tokio::spawn(connection.drive(Arc::clone(&schedule))))
            .collect();
        let mut total = ConnectionTally::default();
        for connection in driven {
            total.add(&connection.await??);
        }
        Ok(total)
    })
}

#[cfg(test)]
mod tests;
