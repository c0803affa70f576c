//! How many commands a second does a server answer, and how long does one take?
//!
//! A load generator that speaks just enough HTTP/1.1 to ask that question. It usually runs on the same
//! processors as the server and the database, so each cycle that it spends is missing from the figure that it
//! reports. Hence: requests are rendered once and patched in place, responses are read but not parsed, nothing is
//! shared between connections but one counter, and all connections of a thread run on a single-threaded
//! runtime, where waking a task never wakes another processor.
//!
//! Each connection has one request outstanding, as a backend service's client has. There is no pipelining.

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

/// What to ask of a server, how often and for how long.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    pub target: LoadTarget,
    pub form: RequestForm,
    pub accounts: LoadAccounts,
    /// How many connections are kept open. Each has one request outstanding.
    pub connections: usize,
    /// How many threads share the connections. One is right when the server is on the same machine.
    pub threads: usize,
    pub pace: Pace,
    pub until: Until,
}

/// Why there is no report. A refusal by the server is not an error here: it is counted by its status.
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

/// Runs `plan` and reports what the server answered. Connecting is not part of the measured time.
///
/// A request whose connection breaks is counted as unanswered and its connection is opened again; the run ends
/// early only when that fails, or when an answer is not HTTP/1.1 with a length.
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

/// Opens every connection before the clock starts, and deals them out to the threads.
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
        // A task each, and not one task that polls them all: a task is woken for its own socket only.
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
