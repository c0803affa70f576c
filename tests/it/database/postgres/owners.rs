//! Who may connect to the server, and whose are its files?

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use counterfoil::postgres::{DATABASE, Server, StartError};
use sqlx::{ConnectOptions, Executor};

use super::{ask, connect, count_rows, durable, refusal, runs_as_root, start, throw_away, write_rows};
use crate::support::{Scratch, optional::leave_out};

/// How somebody is known who connects.
async fn methods(server: &Server) -> String {
    let sql = "select string_agg(concat_ws(' ', type, user_name[1], auth_method), ', ' order by line_number) \
               from pg_hba_file_rules where error is null";
    ask(&mut connect(server).await, sql).await
}

const NOT_ROOT: &str = "the tests do not run as root, who alone runs the server as somebody else";
const RULES: &str = "local counterfoil peer, local all scram-sha-256";

#[tokio::test]
async fn the_system_says_who_connects_and_nobody_else_is_believed() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    assert_eq!(methods(&server).await, RULES);
    let mut owner = connect(&server).await;
    owner.execute("create role stranger login").await.unwrap();
    let stranger = server.connect_options(DATABASE).username("stranger");
    let refused = stranger.clone().password("guessed").connect().await.expect_err("it is not trusted");
    let code = refused.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
    assert_eq!(code.as_deref(), Some("28P01"));
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_that_trusted_whoever_came_does_so_no_more() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    write_rows(&mut connect(&server).await, 3).await;
    server.stop().await;
    // As earlier releases made it; and somebody put a link in our file's place.
    fs::write(scratch.path().join("postgres/pg_hba.conf"), "local all all trust\n").unwrap();
    let ours = scratch.path().join("pg_hba.conf");
    fs::remove_file(&ours).unwrap();
    std::os::unix::fs::symlink(scratch.path().join("postgres/pg_hba.conf"), &ours).unwrap();

    let server = start(throw_away(scratch.path())).await;
    assert_eq!(methods(&server).await, RULES);
    assert_eq!(count_rows(&server).await, 3);
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_of_nobody_gets_a_user_of_its_own() {
    if !runs_as_root() {
        return leave_out(NOT_ROOT);
    }
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    write_rows(&mut connect(&server).await, 3).await;
    server.stop().await;
    let cluster = scratch.path().join("postgres");
    let own = fs::metadata(&cluster).unwrap().uid();
    let mut give = Command::new("chown");
    give.args(["-R", "nobody"]).args([&cluster, &scratch.path().join("socket")]);
    assert!(give.status().unwrap().success());
    // What is not nobody's does not change hands.
    let foreign = cluster.join("foreign");
    fs::write(&foreign, "root's").unwrap();

    let server = start(throw_away(scratch.path())).await;
    assert_eq!(count_rows(&server).await, 3);
    assert_eq!(fs::metadata(format!("/proc/{}", server.pid())).unwrap().uid(), own);
    assert_eq!(fs::metadata(&foreign).unwrap().uid(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_directory_that_shuts_the_server_out_is_named() {
    if !runs_as_root() {
        return leave_out(NOT_ROOT);
    }
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
    let StartError::Unreachable { obstacle, .. } = refusal(durable(&home.path().join("data"))).await else {
        panic!("another refusal");
    };
    assert_eq!(obstacle, home.path().canonicalize().unwrap());
}
