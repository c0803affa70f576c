//! Does `counterfoil demo` live through a year that adds up, and does it leave everything else alone?

use std::{fs, path::Path, process::Output};

use serde_json::Value;

use super::serve::off_thread;
use crate::support::{Scratch, program, program::Served};

const SMALL: [&str; 4] = ["--accounts", "12", "--months", "2"];

async fn demo(directory: &Path) -> Served {
    let directory = directory.to_owned();
    off_thread(move || {
        let arguments = ["--json", "demo", "--listen", "127.0.0.1:0"];
        Served::start_as(&arguments, |command| {
            command.args(SMALL).env("COUNTERFOIL_DATA_DIR", directory);
        })
    })
    .await
}

/// Runs it where it has nothing to serve.
async fn refused(directory: &Path, more: &[&'static str], database: Option<&'static str>) -> Output {
    let (directory, more) = (directory.to_owned(), more.to_vec());
    off_thread(move || {
        let mut command = program::command(&["demo", "--listen", "127.0.0.1:0"]);
        command.args(more).env("COUNTERFOIL_DATA_DIR", directory);
        database.map(|url| command.env("DATABASE_URL", url));
        program::run(&mut command)
    })
    .await
}

async fn ask(served: &Served, key: &str, path: &str) -> Value {
    let request = reqwest::Client::new().get(served.url(path)).bearer_auth(key);
    let response = request.send().await.expect("it answers");
    let (status, body) = (response.status(), response.text().await.expect("text"));
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

fn kept(directory: &Path) -> Value {
    let text = fs::read_to_string(directory.join("demo.json")).expect("it is kept");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test]
async fn a_year_is_lived_through_and_adds_up() {
    let scratch = Scratch::create();
    let served = demo(scratch.path()).await;
    assert!(served.banner["sandbox"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1")));
    let key = served.admin_key().to_owned();
    let look = kept(scratch.path())["look"].clone();
    assert!(look["requests"].as_u64().is_some_and(|requests| requests > 100), "{look:#}");
    for address in addresses(&look) {
        ask(&served, &key, &address).await;
    }
    let accounts = ask(&served, &key, "/v1/accounts?limit=500").await;
    assert_eq!(accounts["accounts"].as_array().map(Vec::len), Some(12));
    credits_close(&served, &key, &look).await;
    revenue_is_the_sum_of_its_movements(&served, &key, &look).await;
    let verified = ask(&served, &key, "/v1/audit/verify").await;
    assert_eq!(verified["findings"].as_array().map(Vec::len), Some(0), "{verified:#}");
    assert_eq!(off_thread(move || served.stop()).await.code(), Some(0));

    // The same again is served as it was, and another one does not overwrite it.
    let again = demo(scratch.path()).await;
    assert_eq!(kept(scratch.path())["look"], look);
    assert_eq!(ask(&again, &key, "/v1/accounts?limit=500").await["accounts"], accounts["accounts"]);
    assert_eq!(off_thread(move || again.stop()).await.code(), Some(0));
    let other = refused(scratch.path(), &["--seed", "2"], None).await;
    assert_eq!(program::code(&other), 2);
    assert!(program::stderr(&other).contains("another demonstration"), "{}", program::stderr(&other));
}

fn addresses(look: &Value) -> Vec<String> {
    let figures = look["figures"].as_array().expect("a list").iter().map(|figure| &figure["address"]);
    let accounts = look["accounts"].as_array().expect("a list").iter();
    let accounts = accounts.flat_map(|account| account["addresses"].as_array().expect("a list"));
    figures.chain(accounts).map(|address| address.as_str().expect("text").to_owned()).collect()
}

fn figure(look: &Value, name: &str) -> String {
    let figures = look["figures"].as_array().expect("a list");
    let figure = figures.iter().find(|figure| figure["figure"] == name).expect("it is told");
    figure["address"].as_str().expect("text").to_owned()
}

fn number(of: &Value, name: &str) -> i64 {
    of[name].as_i64().unwrap_or_else(|| panic!("no `{name}`: {of:#}"))
}

async fn credits_close(served: &Served, key: &str, look: &Value) {
    let credits = ask(served, key, &figure(look, "credits")).await;
    let intervals = credits["intervals"].as_array().expect("a list");
    let mut before = None;
    for interval in intervals {
        for what in ["available", "held", "debt"] {
            let flows = interval["flows"].as_array().expect("a list");
            let flowed: i64 = flows.iter().map(|flow| number(flow, what)).sum();
            let (opening, closing) = (number(&interval["opening"], what), number(&interval["closing"], what));
            assert_eq!(opening + flowed, closing, "{what}: {interval:#}");
        }
        let opening = number(&interval["opening"], "available");
        assert_eq!(opening, before.unwrap_or(0), "{interval:#}");
        before = Some(number(&interval["closing"], "available"));
    }
    assert!(before > Some(0), "{credits:#}");
}

async fn revenue_is_the_sum_of_its_movements(served: &Served, key: &str, look: &Value) {
    let mrr = ask(served, key, &figure(look, "monthly revenue")).await;
    let last = mrr["series"].as_array().expect("a list").last().expect("one");
    let moved = ask(served, key, &figure(look, "who came, grew and left")).await;
    let movements = moved["movements"].as_array().expect("a list");
    let moved: i64 = movements.iter().map(|moved| number(moved, "after") - number(moved, "before")).sum();
    assert_eq!(number(last, "mrr"), moved, "{mrr:#}");
    assert!(moved > 0, "somebody subscribes in two months: {mrr:#}");
}

#[tokio::test]
async fn what_is_in_a_directory_already_is_left_alone() {
    let scratch = Scratch::create();
    let file = scratch.path().join("letters.txt");
    fs::write(&file, "dear reader").unwrap();
    let output = refused(scratch.path(), &SMALL, None).await;
    assert_eq!(program::code(&output), 2);
    assert!(program::stderr(&output).contains("--data-dir"), "{}", program::stderr(&output));
    let names: Vec<_> =
        fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["letters.txt"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "dear reader");
}

#[tokio::test]
async fn a_database_of_somebody_else_is_never_used() {
    let scratch = Scratch::create();
    let output = refused(scratch.path(), &SMALL, Some("postgres://nobody@127.0.0.1:1/ledger")).await;
    assert_eq!(program::code(&output), 2);
    assert!(program::stderr(&output).contains("DATABASE_URL"), "{}", program::stderr(&output));
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing was begun");
}
