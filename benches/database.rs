//! Scratch databases, one for each thing that is measured.

use std::path::PathBuf;

use counterfoil::postgres::{self, Durability, Server, ServerOptions};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

/// Whatever goes wrong in a benchmark ends it.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Makes an empty database with this name on the server that `server` connects to, instead of an older one.
pub async fn create(server: &PgConnectOptions, name: &str) -> Fallible<PgConnectOptions> {
    let mut connection = PgConnection::connect_with(server).await?;
    connection.execute(format!("drop database if exists {name} with (force)").as_str()).await?;
    connection.execute(format!("create database {name}").as_str()).await?;
    connection.close().await?;
    Ok(server.clone().database(name))
}

/// The server's settings that decide what a commit costs. Figures of a server that may lose commits mean
/// nothing here, so such a one is refused.
pub async fn require_durable(server: &PgConnectOptions) -> Fallible<()> {
    let mut connection = PgConnection::connect_with(server).await?;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String = sqlx::query_scalar(&format!("show {setting}")).fetch_one(&mut connection).await?;
        if value != "on" {
            return Err(format!("the server has {setting} = {value}; benchmarks need it on").into());
        }
    }
    connection.close().await?;
    Ok(())
}

/// A server of our own, durable, in a directory that is removed in the end.
pub struct OwnServer {
    server: Server,
    directory: PathBuf,
}

impl OwnServer {
    pub async fn start() -> Fallible<Self> {
        let directory = std::env::temp_dir().join(format!("counterfoil-bench-{}", std::process::id()));
        let server = postgres::start(ServerOptions {
            data_directory: directory.clone(),
            binaries: None,
            durability: Durability::On,
            max_connections: 300,
        })
        .await?;
        Ok(Self { server, directory })
    }

    pub fn options(&self) -> PgConnectOptions {
        self.server.connect_options(postgres::DATABASE)
    }

    pub async fn stop(self) {
        self.server.stop().await;
        // What cannot be removed lies in the system's directory for such things.
        let _left = std::fs::remove_dir_all(&self.directory);
    }
}
