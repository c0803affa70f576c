//! Does `serve` start anywhere, stop in order, and come back after a kill?

use std::path::Path;
use std::time::Duration;

use crate::support::{Scratch, database::TestDatabase, program, program::Served};

async fn get(served: &Served, path: &str) -> (u16, String) {
    let response = reqwest::get(served.url(path)).await.expect("it answers");
    (response.status().as_u16(), response.text().await.expect("a text"))
}

/// The child and the tests share a machine, and blocking on the child would block the test's runtime.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("it does not panic")
}

async fn serve_on(database: &TestDatabase) -> Served {
    let url = database.url();
    off_thread(move || Served::on(&url)).await
}

pub async fn serve_embedded(directory: &Path) -> Served {
    let directory = directory.to_owned();
    off_thread(move || Served::embedded(&directory)).await
}

pub fn pid_of_postgres(directory: &Path) -> i32 {
    let text = std::fs::read_to_string(directory.join("postgres/postmaster.pid")).expect("it runs");
    text.lines().next().expect("a line").parse().expect("a pid")
}

#[tokio::test]
async fn it_serves_from_an_empty_directory_and_stops_in_order() {
    let scratch = Scratch::create();
    let served = serve_embedded(scratch.path()).await;
    assert_eq!(get(&served, "/healthz").await.0, 200);
    assert!(served.admin_key().starts_with("cf_test_"));
    assert_eq!(served.banner["data_directory"], scratch.path().to_str().unwrap());
    let status = off_thread(move || served.stop()).await;
    assert_eq!(status.code(), Some(0));
    assert!(!scratch.path().join("postgres/postmaster.pid").exists(), "PostgreSQL was stopped in order");
}

#[tokio::test]
async fn it_comes_back_after_a_kill() {
    let scratch = Scratch::create();
    let served = serve_embedded(scratch.path()).await;
    served.admin_key();
    off_thread(move || served.kill()).await;
    let served = serve_embedded(scratch.path()).await;
    assert!(served.banner.get("admin_key_file").is_none(), "the first key is still there");
    assert_eq!(get(&served, "/healthz").await.0, 200);
    assert_eq!(off_thread(move || served.stop()).await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let database = TestDatabase::create().await;
    let served = serve_on(&database).await;
    // A caller that does not end its request would be waited for.
    let _idle = open_request(&served).await;
    served.signal(libc::SIGTERM);
    wait_until_refused(&served).await;
    served.signal(libc::SIGINT);
    assert_eq!(off_thread(move || served.wait()).await.code(), Some(130));
}

/// Sends the head of a request, and a part of its body.
async fn open_request(served: &Served) -> tokio::net::TcpStream {
    use tokio::io::AsyncWriteExt;
    let mut stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
    let key = served.admin_key();
    let head = format!(
        "POST /v1/accounts/acme/deductions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: k1\r\nContent-Length: 13\r\n\r\n{{\"amount\""
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Answered on another connection, so the first one has been taken by now.
    assert_eq!(get(served, "/healthz").await.0, 200);
    stream
}

/// Waits until no more connections are taken, which says that the signal was heard.
async fn wait_until_refused(served: &Served) {
    for _ in 0..1_000 {
        if tokio::net::TcpStream::connect(served.address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("connections are still taken");
}

#[tokio::test]
async fn what_was_accepted_is_answered_before_it_ends() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let database = TestDatabase::create().await;
    let served = serve_on(&database).await;
    let client = reqwest::Client::new();
    let opened =
        client.put(served.url("/v1/accounts/acme")).bearer_auth(served.admin_key()).send().await.unwrap();
    assert_eq!(opened.status().as_u16(), 201, "{}", opened.text().await.unwrap());

    let mut request = open_request(&served).await;
    served.signal(libc::SIGTERM);
    wait_until_refused(&served).await;
    request.write_all(b":10}").await.unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains("\"available\":40"), "{answer}");
    assert_eq!(off_thread(move || served.wait()).await.code(), Some(0));
    let events: i64 =
        sqlx::query_scalar("select count(*) from ledger.events").fetch_one(&database.pool()).await.unwrap();
    assert_eq!(events, 3, "opened, granted, deducted");
}

/// A key that an operator made up.
const GIVEN: &str = "cf_test_given_by_the_operator_of_this_test";

/// Starts with a key that is given, stops, and returns what was said.
async fn said_with_key(database: &TestDatabase, key: &'static str) -> String {
    let url = database.url();
    off_thread(move || {
        let served = Served::start(|command| {
            command.env("DATABASE_URL", url).env("COUNTERFOIL_BOOTSTRAP_KEY", key);
        });
        served.signal(libc::SIGTERM);
        served.wait_and_hear().1
    })
    .await
}

#[tokio::test]
async fn the_first_key_is_in_a_file_of_its_user_and_in_nothing_that_is_printed() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let scratch = Scratch::create();
    let (file, other) = (scratch.path().join("first-admin-key"), scratch.path().join("other"));
    // What lies in its place is replaced, and a link is not followed.
    std::fs::write(&other, "kept").unwrap();
    symlink(&other, &file).unwrap();
    let directory = scratch.path().to_owned();
    let served = off_thread(move || {
        Served::start(|command| {
            command.env_remove("COUNTERFOIL_FIRST_KEY_FILE").env("COUNTERFOIL_DATA_DIR", directory);
        })
    })
    .await;
    let key = served.admin_key().to_owned();
    let printed = served.banner.to_string();
    assert_eq!(served.banner["admin_key_file"], file.to_str().unwrap());
    let metadata = std::fs::symlink_metadata(&file).unwrap();
    assert!(metadata.is_file() && metadata.permissions().mode() & 0o777 == 0o600, "{metadata:?}");
    assert_eq!(metadata.uid(), std::fs::metadata(&other).unwrap().uid());
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "kept");
    served.signal(libc::SIGTERM);
    let (_, said) = off_thread(move || served.wait_and_hear()).await;
    assert!(
        key.starts_with("cf_test_") && !printed.contains(&key) && !said.contains(&key),
        "{printed}{said}"
    );
}

#[tokio::test]
async fn a_first_key_that_nobody_would_see_is_not_made() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let start = move || {
        let mut command = program::command(&["serve", "--listen", "127.0.0.1:0"]);
        let command = command.env("DATABASE_URL", url).env("COUNTERFOIL_FIRST_KEY_FILE", "/proc/nowhere/key");
        program::run(command)
    };
    let output = off_thread(start).await;
    assert_eq!(program::code(&output), 3, "{}", program::stderr(&output));
    let keys: i64 =
        sqlx::query_scalar("select count(*) from ledger.api_keys").fetch_one(&database.pool()).await.unwrap();
    assert_eq!(keys, 0);
}

#[tokio::test]
async fn a_bootstrap_key_that_was_replaced_or_has_ended_is_said() {
    let database = TestDatabase::create().await;
    let first = said_with_key(&database, GIVEN).await;
    assert!(!first.contains("earlier starts"), "{first}");
    let (id, prefix): (String, String) =
        sqlx::query_as("select id, prefix from ledger.api_keys").fetch_one(&database.pool()).await.unwrap();
    assert_eq!(prefix, "", "nothing is kept of what somebody made up");
    let second = said_with_key(&database, "another-key-that-this-test-has-made-up").await;
    assert!(
        second.contains("keys of earlier starts still open everything") && second.contains(&id),
        "{second}"
    );

    let revoke = "update ledger.api_keys set revoked_at = now(), prefix = 'cf_test_given' where id = $1";
    sqlx::query(revoke).bind(&id).execute(&database.pool()).await.unwrap();
    let third = said_with_key(&database, "another-key-that-this-test-has-made-up").await;
    assert!(!third.contains("earlier starts"), "{third}");
    let ended = said_with_key(&database, GIVEN).await;
    assert!(ended.contains("a key that has ended: it opens nothing"), "{ended}");
    let prefix: String = sqlx::query_scalar("select prefix from ledger.api_keys where id = $1")
        .bind(&id)
        .fetch_one(&database.pool())
        .await
        .unwrap();
    assert_eq!(prefix, "", "what an earlier release kept of it is forgotten");
}

#[tokio::test]
async fn a_key_that_is_given_works_from_the_start() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let served = off_thread(move || {
        Served::start(|command| {
            command.env("DATABASE_URL", url).env("COUNTERFOIL_BOOTSTRAP_KEY", GIVEN);
        })
    })
    .await;
    assert!(served.banner.get("admin_key_file").is_none(), "a given key is kept nowhere");
    let keys: i64 =
        sqlx::query_scalar("select count(*) from ledger.api_keys").fetch_one(&database.pool()).await.unwrap();
    assert_eq!(keys, 1);
}

#[test]
fn a_sandbox_is_not_started_beside_real_money() {
    let live = program::run(program::command(&["serve", "--sandbox"]).env("COUNTERFOIL_MODE", "live"));
    assert_eq!(program::code(&live), 2, "{}", program::stderr(&live));
    assert!(program::stderr(&live).contains("the mode is live"), "{}", program::stderr(&live));
    let version = program::run(&mut program::command(&["sandbox", "--api-version", "yesterday"]));
    assert_eq!(program::code(&version), 2, "{}", program::stderr(&version));
}

/// Starts a server on the database, and says why it does not start.
async fn not_served(
    database: &TestDatabase,
    arguments: &'static [&str],
    mode: Option<&'static str>,
) -> String {
    let url = database.url();
    off_thread(move || {
        let mut command = program::command(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        command.env("DATABASE_URL", url).envs(mode.map(|mode| ("COUNTERFOIL_MODE", mode)));
        let output = program::run(command.env("COUNTERFOIL_BOOTSTRAP_KEY", GIVEN));
        assert_ne!(program::code(&output), 0);
        program::stderr(&output)
    })
    .await
}

#[tokio::test]
async fn a_database_is_for_what_it_was_first_started_for() {
    for (mode, arguments) in [("live", &[][..]), ("test", &[]), ("sandbox", &["--sandbox=127.0.0.1:0"])] {
        let database = TestDatabase::create().await;
        let url = database.url();
        let start = move || {
            Served::start(|command| {
                let live = (mode == "live").then_some(("COUNTERFOIL_MODE", "live"));
                command.env("DATABASE_URL", url).envs(live).args(arguments);
            })
        };
        let again = start.clone();
        drop(off_thread(start).await);
        drop(off_thread(again).await);
        if mode != "live" {
            let refused = not_served(&database, &[], Some("live")).await;
            assert!(refused.contains(&format!("the ledger of mode `{mode}`")), "{refused}");
        }
        if mode != "test" {
            let refused = not_served(&database, &[], None).await;
            assert!(refused.contains("not of mode `test`"), "{refused}");
        }
        if mode != "sandbox" {
            let refused = not_served(&database, &["--sandbox=127.0.0.1:0"], None).await;
            assert!(refused.contains("not of mode `sandbox`"), "{refused}");
        }
        let replay = program::run(
            program::command(&["audit", "replay", "nobody"])
                .env("DATABASE_URL", database.url())
                .env("COUNTERFOIL_MODE", if mode == "live" { "test" } else { "live" }),
        );
        assert!(program::stderr(&replay).contains("the ledger of mode"), "{}", program::stderr(&replay));
    }
}

#[tokio::test]
async fn what_is_written_for_real_money_before_the_first_start_is_for_no_sandbox() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/accounts.csv");
    for arguments in
        [&["import", "accounts", file][..], &["keys", "create", "--name", "a", "--scope", "read"]]
    {
        let run = |database: &TestDatabase, mode: &str| {
            let mut command = program::command(arguments);
            program::run(command.env("DATABASE_URL", database.url()).env("COUNTERFOIL_MODE", mode))
        };
        let database = TestDatabase::create().await;
        let live = run(&database, "live");
        assert_eq!(program::code(&live), 0, "{}", program::stderr(&live));
        let refused = not_served(&database, &["--sandbox=127.0.0.1:0"], None).await;
        assert!(refused.contains("the ledger of mode `live`"), "{refused}");

        let database = TestDatabase::create().await;
        let test = run(&database, "test");
        assert_eq!(program::code(&test), 0, "{}", program::stderr(&test));
        let url = database.url();
        let start = move || {
            Served::start(|command| {
                command.env("DATABASE_URL", url).arg("--sandbox=127.0.0.1:0");
            })
        };
        drop(off_thread(start).await);
        let live = run(&database, "live");
        assert!(
            program::stderr(&live).contains("the ledger of mode `sandbox`"),
            "{}",
            program::stderr(&live)
        );
    }
}

#[tokio::test]
async fn the_catalog_that_is_served_is_kept() {
    let database = TestDatabase::create().await;
    let served = serve_on(&database).await;
    let (name, source): (String, String) =
        sqlx::query_as("select name, source from ledger.catalogs").fetch_one(&database.pool()).await.unwrap();
    assert_eq!(name, "Music");
    assert_eq!(source, include_str!("../../../../catalogs/music.toml"));
    drop(served);
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_before_anything_is_done() {
    let database = TestDatabase::create().await;
    let served = serve_on(&database).await;
    let listen = served.address.to_string();
    let url = database.url();
    let output = off_thread(move || {
        program::run(program::command(&["serve", "--listen", &listen]).env("DATABASE_URL", url))
    })
    .await;
    assert_eq!(program::code(&output), 3);
    let said = program::stderr(&output);
    assert!(said.contains("cannot listen for requests at") && said.contains("COUNTERFOIL_LISTEN"), "{said}");
}

#[tokio::test]
async fn many_callers_who_come_at_once_with_one_key_are_all_let_in() {
    let database = TestDatabase::create().await;
    let served = serve_on(&database).await;
    let client = reqwest::Client::new();
    let calls =
        (0..200).map(|_| client.put(served.url("/v1/accounts/acme")).bearer_auth(served.admin_key()).send());
    let answers = futures::future::join_all(calls).await;
    let statuses: Vec<u16> = answers.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 199, "{statuses:?}");
}

/// What a program says that serves, and is stopped.
async fn said_with(settings: &'static [(&'static str, &'static str)]) -> String {
    let database = TestDatabase::create().await;
    let url = database.url();
    off_thread(move || {
        let served = Served::start(|command| {
            command.env("DATABASE_URL", url).envs(settings.iter().copied());
        });
        served.signal(libc::SIGTERM);
        served.wait_and_hear().1
    })
    .await
}

#[tokio::test]
async fn the_log_is_what_was_asked_for() {
    let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let said = said_with(&[]).await;
    assert!(said.contains("stopped") && said.lines().all(is_json), "no terminal reads it: {said}");
    let said = said_with(&[("COUNTERFOIL_LOG_FORMAT", "text")]).await;
    assert!(said.contains("stopped") && !said.lines().any(is_json), "{said}");
    let said = said_with(&[("RUST_LOG", "error")]).await;
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_variable_that_is_not_read_is_said_and_not_its_value() {
    let said =
        said_with(&[("STRIPE_API_KEY", "sk_test_hunter2"), ("GRACE_PERIOD_DAYS", "7"), ("PORT", "1")]).await;
    for part in ["\"name\":\"STRIPE_API_KEY\"", "set STRIPE_SECRET_KEY", "payments.grace_days"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}
