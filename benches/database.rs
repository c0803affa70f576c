//! Which database does each measurement use? A new one.

use std::path::PathBuf;

use counterfoil::postgres::{self, Durability, Server, ServerOptions};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

/// Any error ends the benchmark.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Makes an empty database with this name on the server that `server` connects to, replacing an older one.
pub async fn create(server: &PgConnectOptions, name: &str) -> Fallible<PgConnectOptions> {
    let mut connection = PgConnection::connect_with(server).await?;
    connection.execute(format!("drop database if exists {name} with (force)").as_str()).await?;
    connection.execute(format!("create database {name}").as_str()).await?;
    connection.close().await?;
    Ok(server.clone().database(name))
}

/// Checks the server's settings that decide what a commit costs.
/// Figures of a server that may lose commits are meaningless.
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

/// An embedded, durable server in a directory that is removed at the end.
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
        // If it cannot be removed, it stays in the system's temporary directory.
        let _left = std::fs::remove_dir_all(&self.directory);
    }
}
