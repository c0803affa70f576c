//! Is nothing lost or doubled when a ledger is grown while it is used? Old accounts go on, and new ones are opened.

use std::{net::TcpListener, sync::Arc, time::Duration};

use counterfoil::audit::{AuditScope, verify_journal};
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{
    books::{Books, Holding},
    kills::assert_stored_once,
    traffic::{Target, Traffic},
};
use crate::support::{
    Scratch, catalogs, database::TestDatabase, dice::Dice, program, program::Served, shards,
};

const KEY: &str = "cf_test_of_those_who_get_more_shards";
const CALLERS: usize = 24;
const TIME: Duration = Duration::from_secs(2);
/// Something that the program needed did not work.
const CODE_BROKEN: i32 = 3;

async fn serve(database: &TestDatabase, catalog: &std::path::Path, address: &str) -> Served {
    let (url, catalog, address) = (database.url(), catalog.to_owned(), address.to_owned());
    let start = move || {
        Served::start_at(&address, |command| {
            command.env("DATABASE_URL", url).env("COUNTERFOIL_CATALOG", catalog);
            // As a supervisor has it from before the growth.
            command.env("COUNTERFOIL_SHARDS", "1").env("COUNTERFOIL_BOOTSTRAP_KEY", KEY);
        })
    };
    spawn_blocking(start).await.expect("it serves")
}

async fn run_shards(database: &TestDatabase, arguments: &'static [&'static str]) -> Value {
    let url = database.url();
    let run = move || {
        let arguments = [&["--json", "shards"], arguments].concat();
        let output = program::run(
            program::command(&arguments).env("DATABASE_URL", url).env("COUNTERFOIL_SHARDS", "1"),
        );
        assert_eq!(program::code(&output), 0, "{}", program::stderr(&output));
        program::json(&output)
    };
    spawn_blocking(run).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_while_a_ledger_is_grown() {
    let mut dice = Dice::seeded("growth");
    let scratch = Scratch::create();
    let catalog = scratch.path().join("catalog.toml");
    std::fs::write(&catalog, catalogs::MUSIC.replace("max = 5 }", "max = 1_000_000 }")).expect("ours");
    let database = TestDatabase::of_shards(1).await;
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("bound").to_string();
    drop(free);
    let served = serve(&database, &catalog, &address).await;
    let target = Target::new(vec![format!("http://{address}")], KEY).going_on();
    let old: Vec<String> = (0..20).map(|number| format!("old-{number}")).collect();
    let opened = target.open(&old).await;
    let books = Arc::new(Books::default());

    let traffic = Traffic::begin(CALLERS, &target, &old, &books, &mut dice);
    tokio::time::sleep(TIME).await;
    let before = books.length();
    assert!(before > 0, "callers are answered");
    let grown = run_shards(&database, &["grow", "--to", "4"]).await;
    assert_eq!((&grown["sharding"], &grown["accounts"]), (&1.into(), &20.into()), "{grown}");
    let ended = spawn_blocking(move || served.wait_and_hear());
    let (status, said) =
        tokio::time::timeout(Duration::from_secs(30), ended).await.expect("in time").expect("ended");
    assert_eq!(status.code(), Some(CODE_BROKEN), "{said}");
    assert!(said.contains("another program has grown the ledger"), "{said}");

    let served = serve(&database, &catalog, &address).await;
    let new: Vec<String> = (0..20).map(|number| format!("new-{number}")).collect();
    target.open(&new).await;
    let more = Traffic::begin(CALLERS, &target, &new, &books, &mut dice);
    tokio::time::sleep(TIME).await;
    traffic.end().await;
    more.end().await;
    assert!(books.length() > before, "they go on");
    target.resend(&books, &mut dice).await;

    let all = [old, new].concat();
    for (account, expected) in books.holdings(&all, opened) {
        let told = target.account(&target.addresses()[0], &account).await;
        let amount = |name: &str| told["balance"][name].as_i64().expect("a number");
        assert_eq!(Holding { available: amount("available"), held: amount("held") }, expected, "{account}");
    }
    target.expect_same(books.done_since(0), &mut dice).await;
    let pool = database.pool();
    assert_stored_once(&pool, &books).await;
    let verified = verify_journal(&pool, &AuditScope::WHOLE, |_, _| {}).await.expect("the database answers");
    assert!(verified.is_clean(), "{:?}", verified.findings);
    assert_eq!(verified.accounts, 40);
    let listed = run_shards(&database, &["list"]).await;
    let listed = listed.as_array().expect("a list").clone();
    assert_eq!(listed.len(), 5);
    let events = listed.iter().map(|shard| shard["position"].as_i64().expect("a position")).sum::<i64>();
    assert_eq!(events, shards::events(&pool).await);
    assert_eq!(spawn_blocking(move || served.stop()).await.expect("it ends").code(), Some(0));
}
