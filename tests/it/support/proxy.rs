//! Something between a ledger and its database that breaks at a chosen moment.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixListener, UnixStream},
    sync::oneshot,
};

const BUFFER_BYTES: usize = 1 << 16;
/// What a server ends an answer with: `ReadyForQuery`, but for its last byte.
const READY: &[u8] = b"Z\0\0\0\x05";

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is executed, and the connection breaks before the answer.
    LoseAnswer,
    /// The connection breaks, and it is gone.
    LoseRequest,
    /// The connection breaks, and it arrives when it is told to.
    Delay,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Append,
    Commit,
}

/// A fault to come.
struct Order {
    fault: Fault,
    at: Moment,
    happened: oneshot::Sender<()>,
    deliver: oneshot::Receiver<oneshot::Sender<Vec<u8>>>,
}

/// What a test has of a fault.
pub struct Ordered {
    happened: oneshot::Receiver<()>,
    deliver: oneshot::Sender<oneshot::Sender<Vec<u8>>>,
}

type Orders = Arc<Mutex<Option<Order>>>;

pub struct Proxy {
    orders: Orders,
    /// Where its socket is.
    _directory: TempDir,
}

#[derive(Clone)]
enum Upstream {
    Socket(PathBuf),
    Address(String, u16),
}

impl Proxy {
    /// Stands before the database. The options lead to it.
    pub fn before(options: &PgConnectOptions) -> (Self, PgConnectOptions) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let port = options.get_port();
        let upstream = match options.get_socket() {
            Some(socket) => Upstream::Socket(socket.join(format!(".s.PGSQL.{port}"))),
            None => Upstream::Address(options.get_host().to_owned(), port),
        };
        let path = directory.path().join(format!(".s.PGSQL.{port}"));
        let listener = UnixListener::bind(path).expect("the directory is ours");
        let orders = Orders::default();
        let accepting = Arc::clone(&orders);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, upstream.clone(), Arc::clone(&accepting)));
            }
        });
        let options = options.clone().socket(directory.path()).ssl_mode(PgSslMode::Disable);
        (Self { orders, _directory: directory }, options)
    }

    /// On a connection that has appended before.
    pub fn next_append(&self, fault: Fault) -> Ordered {
        self.order(fault, Moment::Append)
    }

    pub fn next_commit(&self, fault: Fault) -> Ordered {
        self.order(fault, Moment::Commit)
    }

    fn order(&self, fault: Fault, at: Moment) -> Ordered {
        let (happened, has_happened) = oneshot::channel();
        let (deliver, delivered) = oneshot::channel();
        let order = Order { fault, at, happened, deliver: delivered };
        let earlier = self.orders.lock().unwrap().replace(order);
        assert!(earlier.is_none(), "the fault before did not happen");
        Ordered { happened: has_happened, deliver }
    }
}

impl Ordered {
    pub async fn happened(self) {
        self.happened.await.expect("the proxy lives");
    }

    /// Delivers what was delayed, and returns what the database answers.
    pub async fn deliver(self) -> Vec<u8> {
        self.happened.await.expect("the proxy lives");
        let (answer, answered) = oneshot::channel();
        self.deliver.send(answer).expect("it is delayed");
        answered.await.expect("the database answers")
    }
}

async fn connect(client: UnixStream, upstream: Upstream, orders: Orders) {
    // A database that is gone, or a connection that breaks, is what its user has to deal with.
    let _broken = match upstream {
        Upstream::Socket(path) => match UnixStream::connect(path).await {
            Ok(server) => carry(client, server, orders).await,
            Err(error) => Err(error),
        },
        Upstream::Address(host, port) => match TcpStream::connect((host, port)).await {
            Ok(server) => carry(client, server, orders).await,
            Err(error) => Err(error),
        },
    };
}

/// Passes on what both say, until one of them ends or a fault happens.
async fn carry<S>(mut client: UnixStream, mut server: S, orders: Orders) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut asked, mut answered) = (vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]);
    let mut appends = false;
    loop {
        tokio::select! {
            count = client.read(&mut asked) => {
                let count = count?;
                if count == 0 {
                    return Ok(());
                }
                let request = &asked[..count];
                if let Some(order) = take(&orders, request, appends) {
                    return fail(order, client, server, request).await;
                }
                appends |= contains(request, b"ledger.append");
                server.write_all(request).await?;
            }
            count = server.read(&mut answered) => {
                let count = count?;
                if count == 0 {
                    return Ok(());
                }
                client.write_all(&answered[..count]).await?;
            }
        }
    }
}

/// The order, if this request is what it waits for. A statement that is known already begins with `Bind`.
fn take(orders: &Orders, request: &[u8], appends: bool) -> Option<Order> {
    let mut orders = orders.lock().unwrap();
    let due = orders.as_ref().is_some_and(|order| match order.at {
        Moment::Append => appends && request.starts_with(b"B"),
        Moment::Commit => contains(request, b"COMMIT"),
    });
    if due { orders.take() } else { None }
}

async fn fail<S>(order: Order, client: UnixStream, mut server: S, request: &[u8]) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Order { fault, happened, deliver, .. } = order;
    match fault {
        Fault::LoseRequest => {
            drop((client, server));
            let _nobody_asks = happened.send(());
        }
        Fault::LoseAnswer => {
            execute(&mut server, request).await?;
            drop(client);
            let _nobody_asks = happened.send(());
        }
        Fault::Delay => {
            drop(client);
            let _nobody_asks = happened.send(());
            if let Ok(answer) = deliver.await {
                let _nobody_asks = answer.send(execute(&mut server, request).await?);
            }
        }
    }
    Ok(())
}

/// Has a request executed, and returns the whole answer.
async fn execute<S>(server: &mut S, request: &[u8]) -> std::io::Result<Vec<u8>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    server.write_all(request).await?;
    let mut answer = Vec::new();
    while !is_whole(&answer) {
        if server.read_buf(&mut answer).await? == 0 {
            break;
        }
    }
    Ok(answer)
}

/// Whether an answer has its end, which says last how the transaction stands.
fn is_whole(answer: &[u8]) -> bool {
    answer.split_last().is_some_and(|(_, rest)| rest.ends_with(READY))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
