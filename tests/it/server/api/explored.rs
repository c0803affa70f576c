//! Does the program do what its document says, whatever the document allows and forbids, whoever asks? Schemathesis
//! makes the requests, also such as follow from earlier answers.
//!
//! `EXAMPLES=200 SEED=7 cargo test --test it -- api::explored` is a long form: so many for each route, of another seed.

use std::process::Command;

use counterfoil::auth::keys::KeyScope;
use serde_json::json;

use crate::support::{Scratch, http::Server, optional::run, python, shop::Shop};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis.toml");
/// The account that the document's examples are about.
const ACCOUNT: &str = "acme";

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What is asked besides the examples for each route.
const EVERYTHING: &str = "examples,coverage,fuzzing,stateful";
const BY_CHANCE: &str = "fuzzing,stateful";

async fn explore(
    server: &Server,
    key: Option<String>,
    phases: &'static str,
    routes: &'static [&'static str],
) {
    let address = server.address.clone();
    let explored = tokio::task::spawn_blocking(move || {
        let python = python::with(python::SCHEMATHESIS, "schemathesis")?;
        let home = Scratch::create();
        let examples = setting("EXAMPLES").unwrap_or_else(|| "5".to_owned());
        let phases = if setting("EXAMPLES").is_some() { EVERYTHING } else { phases };
        let mut command = Command::new(python.with_file_name("st"));
        command.args([
            "--config-file",
            SETTINGS,
            "run",
            DOCUMENT,
            "--url",
            &address,
            "--no-color",
            "--no-shrink",
        ]);
        command.args(["--max-examples", &examples, "--phases", phases, "--continue-on-failure"]);
        command.args(["--seed", &setting("SEED").unwrap_or_else(|| "1".to_owned())]);
        command.args(["--generation-database", "none", "--request-timeout", "30"]).args(routes);
        if let Some(key) = key {
            command.args(["--header", &format!("Authorization: Bearer {key}")]);
        }
        Some(run(command.current_dir(home.path())).stdout)
    });
    if let Some(said) = explored.await.expect("no panic") {
        let said = String::from_utf8_lossy(&said);
        let cases = said.lines().find(|line| line.contains(" generated, ")).expect("it counts");
        println!("{}", cases.trim());
    }
}

/// Whatever was asked, what is written is whole.
async fn check_journal(server: &Server) {
    let verified = server.get("/v1/audit/verify").send().await;
    assert_eq!((verified.status.as_u16(), &verified.body["clean"]), (200, &json!(true)), "{}", verified.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_is_answered_as_the_document_says() {
    let shop = Shop::subscribed().await;
    let server = &shop.server;
    let admin = || Some(server.admin.clone());
    // A closed account refuses whatever comes after.
    explore(server, admin(), EVERYTHING, &["--exclude-operation-id", "close_account"]).await;
    explore(server, admin(), EVERYTHING, &["--include-operation-id", "close_account"]).await;
    check_journal(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_one_scope_is_answered_as_the_document_says() {
    for scope in KeyScope::ALL.into_iter().filter(|scope| *scope != KeyScope::Admin) {
        let shop = Shop::start().await;
        let key = shop.server.key([scope], None).await;
        explore(&shop.server, Some(key), BY_CHANCE, &[]).await;
        check_journal(&shop.server).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_one_account_is_answered_as_the_document_says_and_changes_no_other() {
    let shop = Shop::start().await;
    let server = &shop.server;
    server.open("other").await;
    let before = events_of_others(server).await;
    let scopes = [KeyScope::Deduct, KeyScope::Read, KeyScope::Billing, KeyScope::Audit, KeyScope::Operate];
    let key = server.key(scopes, Some(&[ACCOUNT])).await;
    explore(server, Some(key), BY_CHANCE, &[]).await;
    assert_eq!(events_of_others(server).await, before);
    check_journal(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_answered_as_the_document_says_and_changes_nothing() {
    let shop = Shop::start().await;
    explore(&shop.server, None, BY_CHANCE, &[]).await;
    assert_eq!(events_of_others(&shop.server).await, 0);
    check_journal(&shop.server).await;
}

/// How many events there are of accounts but the one that is asked about.
async fn events_of_others(server: &Server) -> i64 {
    sqlx::query_scalar("select count(*) from ledger.events where aggregate_id <> $1")
        .bind(ACCOUNT)
        .fetch_one(&server.test.database.pool())
        .await
        .expect("a count")
}
