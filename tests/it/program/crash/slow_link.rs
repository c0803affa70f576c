//! A way to the database that is slow while a test wants it to be.

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// Holds back what an instance and its database say to each other, while that is wanted.
pub struct SlowLink {
    pub held: watch::Sender<bool>,
    pub options: PgConnectOptions,
    _directory: TempDir,
}

impl SlowLink {
    pub fn before(options: &PgConnectOptions) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let name = format!(".s.PGSQL.{}", options.get_port());
        let upstream = options.get_socket().expect("the tests' server has a socket").join(&name);
        let listener = UnixListener::bind(directory.path().join(name)).expect("the directory is ours");
        let held = watch::Sender::new(false);
        let holding = held.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, holding) = (UnixStream::connect(&upstream).await, holding.clone());
                let Ok(server) = server else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(carry(from_client, to_server, holding.clone()));
                tokio::spawn(carry(from_server, to_client, holding));
            }
        });
        let options = options.clone().socket(directory.path());
        Self { held, options, _directory: directory }
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut held: watch::Receiver<bool>) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        drop(held.wait_for(|held| !held).await);
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
