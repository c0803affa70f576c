//! How does one client send requests? One after the other, each after the answer to the one before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::LoadRunError;
use super::accounts::Chooser;
use super::form::Rendered;
use super::report::ConnectionTally;
use super::response::{ResponseError, ResponseReader};
use super::schedule::RequestSchedule;
use super::target::LoadTarget;

/// After this time a request counts as unanswered, so that a run also ends if the server hangs.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection, with all that its task needs.
#[derive(Debug)]
pub(super) struct Connection {
    authority: String,
    /// Not registered with a runtime yet, since it is opened in one and used in another.
    socket: std::net::TcpStream,
    rendered: Rendered,
    chooser: Chooser,
}

impl Connection {
    pub(super) async fn open(
        target: &LoadTarget,
        rendered: Rendered,
        chooser: Chooser,
        number: usize,
    ) -> Result<Self, LoadRunError> {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let authority = target.authority.clone();
        let opened = connect(&authority).await.and_then(TcpStream::into_std);
        let socket = opened.map_err(|source| LoadRunError::Connect { address: authority.clone(), source })?;
        Ok(Self {
            authority,
            socket,
            rendered: rendered.for_connection(number),
            chooser: chooser.seeded(number),
        })
    }

    /// Sends requests from the schedule until there are no more.
    pub(super) async fn drive(self, schedule: Arc<RequestSchedule>) -> Result<ConnectionTally, LoadRunError> {
        let Self { authority, socket, mut rendered, mut chooser } = self;
        let unusable = |source| LoadRunError::Connect { address: authority.clone(), source };
        let mut stream = TcpStream::from_std(socket).map_err(unusable)?;
        let (mut reader, mut tally) = (ResponseReader::new(), ConnectionTally::default());
        let mut now = Instant::now();
        while let Some(turn) = schedule.take(now) {
            let request = rendered.fill(turn.number, &mut chooser);
            if turn.due > now {
                // The timer rounds up to a millisecond, which counts as the server's time and so never flatters it.
                tokio::time::sleep_until(turn.due.into()).await;
            }
            let answer = exchange(&mut stream, request, &mut reader).await;
            now = Instant::now();
            match answer {
                Ok(status) => {
                    let (items, accepted) = count_items(&rendered, status, &reader);
                    tally.record(status, now.saturating_duration_since(turn.due), items, accepted);
                }
                Err(ResponseError::Broken) => {
                    tally.record_unanswered();
                    stream = connect(&authority).await.map_err(unusable)?;
                }
                Err(ResponseError::Malformed(reason)) => return Err(LoadRunError::Malformed(reason)),
            }
        }
        Ok(tally)
    }
}

async fn connect(authority: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn exchange(
    stream: &mut TcpStream,
    request: &[u8],
    reader: &mut ResponseReader,
) -> Result<u16, ResponseError> {
    stream.write_all(request).await.map_err(|_| ResponseError::Broken)?;
    tokio::time::timeout(ANSWER_TIMEOUT, reader.read(stream)).await.unwrap_or(Err(ResponseError::Broken))
}

/// How many commands were answered, and how many of them succeeded. Only answers to batches have to be parsed for that.
fn count_items(rendered: &Rendered, status: u16, reader: &ResponseReader) -> (u64, u64) {
    let success = (200..300).contains(&status);
    match rendered.items_per_request() {
        _ if !success => (rendered.items_per_request(), 0),
        1 => (1, 1),
        items => (items, reader.items_accepted()),
    }
}
