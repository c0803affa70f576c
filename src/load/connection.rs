//! One client: asks, waits for the answer, asks again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::LoadError;
use super::accounts::Chooser;
use super::form::Rendered;
use super::report::Tally;
use super::response::{Reader, Unread};
use super::schedule::Schedule;
use super::target::Target;

/// After this long a request counts as unanswered, so that a server that hangs ends a run all the same.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection with what it needs to use it alone.
#[derive(Debug)]
pub(super) struct Connection {
    authority: String,
    /// Not yet registered with a runtime: it is opened in one and driven in another.
    socket: std::net::TcpStream,
    rendered: Rendered,
    chooser: Chooser,
}

impl Connection {
    pub(super) async fn open(
        target: &Target,
        rendered: Rendered,
        chooser: Chooser,
        number: usize,
    ) -> Result<Self, LoadError> {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let authority = target.authority.clone();
        let opened = connect(&authority).await.and_then(TcpStream::into_std);
        let socket = opened.map_err(|source| LoadError::Connect { address: authority.clone(), source })?;
        Ok(Self {
            authority,
            socket,
            rendered: rendered.for_connection(number),
            chooser: chooser.seeded(number),
        })
    }

    /// Takes requests from the schedule until there are no more.
    pub(super) async fn drive(self, schedule: Arc<Schedule>) -> Result<Tally, LoadError> {
        let Self { authority, socket, mut rendered, mut chooser } = self;
        let unusable = |source| LoadError::Connect { address: authority.clone(), source };
        let mut stream = TcpStream::from_std(socket).map_err(unusable)?;
        let (mut reader, mut tally) = (Reader::new(), Tally::default());
        let mut now = Instant::now();
        while let Some(turn) = schedule.take(now) {
            let request = rendered.fill(turn.number, &mut chooser);
            if turn.due > now {
                // The timer rounds up to a millisecond. That is counted as the server's time, which is the
                // side to err on.
                tokio::time::sleep_until(turn.due.into()).await;
            }
            let answer = exchange(&mut stream, request, &mut reader).await;
            now = Instant::now();
            match answer {
                Ok(status) => {
                    let (items, accepted) = count_items(&rendered, status, &reader);
                    tally.record(status, now.saturating_duration_since(turn.due), items, accepted);
                }
                Err(Unread::Broken) => {
                    tally.record_unanswered();
                    stream = connect(&authority).await.map_err(unusable)?;
                }
                Err(Unread::Malformed(reason)) => return Err(LoadError::Malformed(reason)),
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

async fn exchange(stream: &mut TcpStream, request: &[u8], reader: &mut Reader) -> Result<u16, Unread> {
    stream.write_all(request).await.map_err(|_| Unread::Broken)?;
    tokio::time::timeout(ANSWER_TIMEOUT, reader.read(stream)).await.unwrap_or(Err(Unread::Broken))
}

/// How many commands were answered and carried out. Only a batch's answer has to be looked into.
fn count_items(rendered: &Rendered, status: u16, reader: &Reader) -> (u64, u64) {
    let success = (200..300).contains(&status);
    match rendered.items_per_request() {
        _ if !success => (rendered.items_per_request(), 0),
        1 => (1, 1),
        items => (items, reader.items_accepted()),
    }
}
