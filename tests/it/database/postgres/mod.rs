//! Does the embedded server keep what it acknowledged, whatever happens to it or to us?

mod kills;
mod owners;
mod pools;
mod starts;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use counterfoil::postgres::{self, DATABASE, Durability, Server, ServerOptions, StartError};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};

fn durable(directory: &Path) -> ServerOptions {
    ServerOptions {
        data_directory: directory.to_owned(),
        binaries: None,
        durability: Durability::On,
        max_connections: 20,
    }
}

pub fn throw_away(directory: &Path) -> ServerOptions {
    ServerOptions { durability: Durability::Off, ..durable(directory) }
}

pub async fn start(options: ServerOptions) -> Server {
    postgres::start(options).await.expect("the server starts")
}

async fn refusal(options: ServerOptions) -> StartError {
    postgres::start(options).await.expect_err("the start is refused")
}

pub async fn connect(server: &Server) -> PgConnection {
    connect_with(&server.connect_options(DATABASE)).await
}

pub async fn connect_with(options: &PgConnectOptions) -> PgConnection {
    options.connect().await.expect("the database takes connections")
}

async fn ask(connection: &mut PgConnection, sql: &str) -> String {
    sqlx::query_scalar(sql).fetch_one(connection).await.expect("the database answers")
}

async fn write_rows(connection: &mut PgConnection, rows: i64) {
    connection.execute("create table if not exists kept (number bigint)").await.unwrap();
    for number in 0..rows {
        sqlx::query("insert into kept values ($1)").bind(number).execute(&mut *connection).await.unwrap();
    }
}

async fn count_rows(server: &Server) -> i64 {
    let mut connection = connect(server).await;
    sqlx::query_scalar("select count(*) from kept").fetch_one(&mut connection).await.unwrap()
}

fn runs_as_root() -> bool {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() == 0 }
}

/// A program that runs as the user who owns the cluster.
fn command_of_owner(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if runs_as_root() {
        let cluster = fs::metadata(directory.join("postgres")).unwrap();
        command.uid(cluster.uid()).gid(cluster.gid());
    }
    command
}
