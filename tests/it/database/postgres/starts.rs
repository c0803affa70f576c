//! Does the server start on what it finds, or say why not?

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use counterfoil::postgres::{self, DATABASE, DatabaseAccess, ServerOptions, StartError};

use super::{ask, connect, count_rows, durable, refusal, start, throw_away, write_rows};
use crate::support::Scratch;

#[tokio::test]
async fn a_cold_start_creates_a_durable_private_database() {
    let scratch = Scratch::create();
    let server = start(durable(scratch.path())).await;
    let mut connection = connect(&server).await;
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("max_connections", "20"),
        ("server_encoding", "UTF8"),
    ] {
        assert_eq!(ask(&mut connection, &format!("show {setting}")).await, value, "{setting}");
    }
    assert_eq!(ask(&mut connection, "select current_database()::text").await, DATABASE);
    for private in ["postgres", "socket"] {
        let mode = fs::metadata(scratch.path().join(private)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{private}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_warm_start_finds_what_was_written() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    let mut connection = connect(&server).await;
    write_rows(&mut connection, 3).await;
    let exited = server.exited();
    // The session is still open: a stop does not wait for it.
    server.stop().await;
    assert!(exited.await.unwrap().success());

    let server = start(throw_away(scratch.path())).await;
    assert_eq!(count_rows(&server).await, 3);
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_of_another_major_version_is_refused() {
    let scratch = Scratch::create();
    let cluster = scratch.path().join("postgres");
    fs::create_dir(&cluster).unwrap();
    fs::write(cluster.join("PG_VERSION"), "13\n").unwrap();
    let refusal = refusal(durable(scratch.path())).await.to_string();
    assert!(refusal.contains("was written by PostgreSQL 13"), "{refusal}");
    assert!(refusal.contains("POSTGRES_BINARIES"), "{refusal}");
    assert_eq!(fs::read_dir(&cluster).unwrap().count(), 1, "nothing was touched");
}

#[tokio::test]
async fn a_setting_that_names_no_binaries_is_refused() {
    let scratch = Scratch::create();
    let empty = tempfile::tempdir().unwrap();
    let options = ServerOptions { binaries: Some(empty.path().to_owned()), ..durable(scratch.path()) };
    assert!(matches!(refusal(options).await, StartError::UnusableBinaries { .. }));
}

#[tokio::test]
async fn an_unfinished_cluster_is_made_anew() {
    let scratch = Scratch::create();
    let unfinished = scratch.path().join("postgres.unfinished");
    fs::create_dir_all(unfinished.join("base")).unwrap();
    start(throw_away(scratch.path())).await.stop().await;
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_works() {
    let scratch = Scratch::create();
    let server = start(throw_away(&scratch.path().join("a, \"long\" path".repeat(10)))).await;
    assert_eq!(ask(&mut connect(&server).await, "select 'up'").await, "up");
    let options = server.connect_options(DATABASE);
    server.stop().await;
    fs::remove_dir(options.get_socket().unwrap()).expect("the short directory in /tmp is left, and empty");
}

/// It waited until it was clear that the program beside it goes on: for three seconds.
#[tokio::test]
async fn a_command_beside_a_running_server_does_not_wait() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        let access = postgres::join_or_start(throw_away(scratch.path())).await.expect("it runs");
        shortest = shortest.min(begun.elapsed());
        assert!(matches!(access, DatabaseAccess::Joined(_)));
        access.end().await;
    }
    assert!(shortest < Duration::from_secs(2), "{shortest:?}");
    server.stop().await;
    // Nobody holds the directory any more.
    let access = postgres::join_or_start(throw_away(scratch.path())).await.expect("it starts");
    assert!(matches!(access, DatabaseAccess::Started(_)));
    access.end().await;
}
