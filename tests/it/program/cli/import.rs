//! Do accounts move in from a file: once, whole, fast, and only when all of the file can be read?

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use counterfoil::http::HttpSettings;
use serde_json::{Value, json};

use crate::support::{
    Scratch,
    database::TestDatabase,
    http::Server,
    ledger::{TestLedger, music},
    program::{self, Served},
};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name)
}

fn run(database: &TestDatabase, file: &Path, flags: &[&str]) -> (i32, Value) {
    let file = file.to_str().unwrap();
    let mut command = program::command(&[&["--json", "import", "accounts", file], flags].concat());
    let output = program::run(command.env("DATABASE_URL", database.url()));
    (program::code(&output), program::json(&output))
}

fn counts(report: &Value) -> [u64; 4] {
    ["imported", "there_already", "refused", "unreadable"].map(|name| report[name].as_u64().unwrap())
}

fn verified(database: &TestDatabase) {
    let verified = program::run(program::command(&["audit", "verify"]).env("DATABASE_URL", database.url()));
    assert_eq!(program::code(&verified), 0, "{}", program::stderr(&verified));
}

async fn events(database: &TestDatabase) -> i64 {
    sqlx::query_scalar("select count(*) from ledger.events").fetch_one(&database.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_one_another_and_change_nothing_a_second_time() {
    let database = TestDatabase::create().await;
    let (csv, ndjson) = (example("accounts.csv"), example("accounts.ndjson"));
    let (code, report) = run(&database, &csv, &["--dry-run"]);
    assert_eq!((code, counts(&report), &report["dry_run"]), (0, [3, 0, 0, 0], &json!(true)), "{report}");
    assert_eq!(events(&database).await, 0);
    let (code, report) = run(&database, &csv, &[]);
    assert_eq!((code, counts(&report)), (0, [3, 0, 0, 0]), "{report}");
    let written = events(&database).await;
    for (file, flags) in [(&csv, [].as_slice()), (&ndjson, &[]), (&ndjson, &["--dry-run"])] {
        let (code, report) = run(&database, file, flags);
        assert_eq!((code, counts(&report)), (0, [0, 3, 0, 0]), "{report}");
    }
    assert_eq!(events(&database).await, written);
    let replay = program::run(
        program::command(&["--json", "audit", "replay", "ada"]).env("DATABASE_URL", database.url()),
    );
    assert_eq!(program::json(&replay)["balance"]["available"], 450);
    verified(&database);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_mistakes_changes_nothing_and_each_is_told_with_its_line() {
    let (database, scratch) = (TestDatabase::create().await, Scratch::create());
    let file = scratch.path().join("accounts.csv");
    let rows = [
        "account,customer,source,amount,expires_at",
        "fine,,bonus,1,",
        "wrong,,bonus,one,",
        "wrong too,,bonus,1,",
        "late,,bonus,1,tomorrow",
        "odd,cus_1,bonus,1,",
        "odd,cus_2,bonus,2,",
        "fine,,bonus,2,",
    ];
    fs::write(&file, rows.join("\n")).unwrap();
    let (code, report) = run(&database, &file, &[]);
    assert_eq!((code, counts(&report)), (1, [0, 0, 0, 5]), "{report}");
    let lines: Vec<u64> = report["mistakes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mistake| mistake["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [3, 4, 5, 7, 8]);
    let of = |index: usize| report["mistakes"][index]["reason"].as_str().unwrap().to_owned();
    assert!(of(0).contains("$.grants[0].amount"), "{report}");
    assert!(of(3).contains("`customer` is not what the account's first line says"), "{report}");

    let file = scratch.path().join("accounts.ndjson");
    fs::write(&file, "{\"account\":\"a\"}\n\nnothing\n{\"account\":\"b\",\"grant\":[]}\n").unwrap();
    let (code, report) = run(&database, &file, &["--continue"]);
    assert_eq!((code, counts(&report)), (1, [0, 0, 0, 2]), "{report}");
    assert_eq!((&report["mistakes"][0]["line"], &report["mistakes"][1]["line"]), (&json!(3), &json!(4)));

    let many: String = (0..500).fold("account,source\n".to_owned(), |mut all, number| {
        writeln!(all, "a{number},gift").unwrap();
        all
    });
    fs::write(scratch.path().join("many.csv"), many).unwrap();
    let (_, report) = run(&database, &scratch.path().join("many.csv"), &[]);
    assert_eq!((counts(&report)[3], report["mistakes"].as_array().unwrap().len()), (500, 20));
    fs::write(scratch.path().join("column.csv"), "account,sauce\na,bonus\n").unwrap();
    let (_, report) = run(&database, &scratch.path().join("column.csv"), &[]);
    assert_eq!(report["mistakes"][0]["reason"], "unknown column `sauce`");
    assert_eq!(events(&database).await, 0);
    let unnamed = program::run(
        program::command(&["import", "accounts", "accounts.txt"]).env("DATABASE_URL", database.url()),
    );
    assert_eq!(program::code(&unnamed), 2);
    let none = program::run(
        program::command(&["import", "accounts", "none.csv"]).env("DATABASE_URL", database.url()),
    );
    assert_eq!(program::code(&none), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_another_one_here_is_refused_by_name() {
    let (database, scratch) = (TestDatabase::create().await, Scratch::create());
    let file = scratch.path().join("accounts.csv");
    fs::write(&file, "account,source,amount\nacme,bonus,5\n").unwrap();
    assert_eq!(run(&database, &file, &[]).0, 0);
    fs::write(&file, "account,source,amount\nacme,bonus,6\nnext,bonus,5\n").unwrap();
    let (code, report) = run(&database, &file, &["--continue"]);
    assert_eq!((code, counts(&report)), (1, [1, 0, 1, 0]), "{report}");
    let mistake = &report["mistakes"][0];
    assert_eq!((&mistake["line"], &mistake["account"]), (&json!(2), &json!("acme")));
    let file = file.to_str().unwrap();
    let shown =
        program::run(program::command(&["import", "accounts", file]).env("DATABASE_URL", database.url()));
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("line 2, acme: The account exists already"), "{text}");
    verified(&database);
}

/// A file of accounts with a customer and two grants each: four events.
fn file_of(accounts: u64, scratch: &Scratch) -> PathBuf {
    let file = scratch.path().join("accounts.csv");
    let mut rows = "account,customer,as_of,source,amount,cost,currency,expires_at\n".to_owned();
    for number in 0..accounts {
        writeln!(
            rows,
            "user_{number},cus_{number},2026-06-01T00:00:00Z,allocation,300,,,2099-06-20T09:30:00Z"
        )
        .unwrap();
        writeln!(rows, "user_{number},,,top_up,150,300,usd,").unwrap();
    }
    fs::write(&file, rows).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_goes_on_where_it_was() {
    const ACCOUNTS: u64 = 4_000;
    let (database, scratch) = (TestDatabase::create().await, Scratch::create());
    let file = file_of(ACCOUNTS, &scratch);
    let mut written = 0;
    let mut kills = 0;
    loop {
        let mut command = program::command(&["import", "accounts", file.to_str().unwrap()]);
        command.env("DATABASE_URL", database.url()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut import = command.spawn().unwrap();
        // Some hundred accounts more than there were, in the middle of whatever it does then.
        let enough = written + 1_200 + 700 * kills;
        while import.try_wait().unwrap().is_none() && events(&database).await < enough {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        import.kill().unwrap();
        if import.wait().unwrap().success() {
            break;
        }
        let so_far = events(&database).await;
        assert!(so_far >= enough, "it ended by itself, with {so_far} events of {enough}");
        written = so_far;
        kills += 1;
    }
    assert!(kills >= 3, "{kills}");
    verified(&database);
    let whole = events(&database).await;
    assert_eq!(u64::try_from(whole).unwrap(), ACCOUNTS * 4);
    let (code, report) = run(&database, &file, &[]);
    assert_eq!((code, counts(&report)), (0, [0, ACCOUNTS, 0, 0]), "{report}");
    assert_eq!(events(&database).await, whole);
}

/// A ctrl-C.
fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_interrupted_says_how_far_it_came_and_goes_on_from_there() {
    const ACCOUNTS: u64 = 20_000;
    let (database, scratch) = (TestDatabase::create().await, Scratch::create());
    let file = file_of(ACCOUNTS, &scratch);
    let mut command = program::command(&["--json", "import", "accounts", file.to_str().unwrap()]);
    command.env("DATABASE_URL", database.url()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut import = command.spawn().unwrap();
    while events(&database).await < 400 {
        assert!(import.try_wait().unwrap().is_none(), "it did not last");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    interrupt(&import);
    let output = import.wait_with_output().unwrap();
    let report = program::json(&output);
    let [imported, there, refused, unreadable] = counts(&report);
    assert_eq!(
        (program::code(&output), there, refused, unreadable, &report["interrupted"], &report["stopped"]),
        (1, 0, 0, 0, &json!(true), &json!(false)),
        "{report}"
    );
    assert!((100..ACCOUNTS).contains(&imported), "{report}");
    assert_eq!(u64::try_from(events(&database).await).unwrap(), imported * 4, "all of it was told");
    let (code, report) = run(&database, &file, &[]);
    assert_eq!((code, counts(&report)), (0, [ACCOUNTS - imported, imported, 0, 0]), "{report}");
}

/// The second signal ends an import whose database does not answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_an_import_at_once() {
    let (database, scratch) = (TestDatabase::create().await, Scratch::create());
    let file = file_of(50, &scratch);
    assert_eq!(run(&database, &example("accounts.csv"), &["--dry-run"]).0, 0);
    let pool = database.pool();
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("lock table ledger.stripe_links").execute(&mut *lock).await.unwrap();
    let mut command = program::command(&["import", "accounts", file.to_str().unwrap()]);
    command.env("DATABASE_URL", database.url()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let import = command.spawn().unwrap();
    let waits = "select count(*) > 0 from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock'";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&pool).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    interrupt(&import);
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_millis(200)).await;
    interrupt(&import);
    let output = import.wait_with_output().unwrap();
    let said = program::stderr(&output);
    assert_eq!(program::code(&output), 130, "{said}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(said.contains("SIGINT: finishing what is on its way"), "{said}");
}

/// Imports an account `other_{number}` of each customer over HTTP. Returns how many were imported.
async fn import_by(server: &Server, numbers: &[u64]) -> u64 {
    let items: Vec<Value> = numbers
        .iter()
        .map(|number| {
            let (account, customer) = (format!("other_{number}"), format!("cus_{number}"));
            let key = format!("import_{number}");
            json!({ "command": "import", "idempotency_key": key, "account": account, "customer": customer })
        })
        .collect();
    loop {
        let batch = server.post("/v1/commands", json!(items)).send().await;
        let answers = batch.body.as_array().unwrap();
        let statuses: Vec<u64> = answers.iter().map(|answer| answer["status"].as_u64().unwrap()).collect();
        // The database was too slow: what is not known is asked again, with the same keys.
        if statuses.contains(&503) {
            continue;
        }
        for answer in answers {
            match answer["status"].as_u64().unwrap() {
                201 => {}
                409 => assert_eq!(answer["body"]["code"], "customer_taken"),
                _ => panic!("{answer}"),
            }
        }
        return statuses.iter().filter(|status| **status == 201).count() as u64;
    }
}

/// The program imports a file while a server imports other accounts with the same customers.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_one_accounts_also_beside_a_server() {
    const ACCOUNTS: u64 = 6_000;
    let (database, scratch) = (TestDatabase::create().await, Scratch::create());
    let server =
        Server::start_on(TestLedger::on(database.again(), music()).await, HttpSettings::default()).await;
    let file = file_of(ACCOUNTS, &scratch);
    // From the end on, so that they meet.
    let numbers: Vec<u64> = (0..ACCOUNTS).rev().collect();
    let mut parts = numbers.chunks(500);
    let mut by_server = import_by(&server, parts.next().unwrap()).await;
    let mut command =
        program::command(&["--json", "import", "accounts", file.to_str().unwrap(), "--continue"]);
    command.env("DATABASE_URL", database.url()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let import = command.spawn().unwrap();
    for part in parts {
        by_server += import_by(&server, part).await;
    }
    let report = program::json(&import.wait_with_output().unwrap());
    let [imported, _, refused, _] = counts(&report);
    assert!(by_server >= 500 && refused >= 500, "they met: {imported} {by_server}");
    assert_eq!((imported + refused, imported + by_server), (ACCOUNTS, ACCOUNTS), "{report}");
    let links = "select count(*), count(distinct customer) from ledger.stripe_links";
    let links: (i64, i64) = sqlx::query_as(links).fetch_one(&database.pool()).await.unwrap();
    assert_eq!(links, (6_000, 6_000));
}

/// Whatever holds it up: thousands of accounts that wait are nothing to warn of.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_import_that_is_held_up_says_nothing_but_how_it_ended() {
    let (database, scratch) = (TestDatabase::create().await, Scratch::create());
    let served = Served::on(&database.url());
    let file = file_of(3_000, &scratch);
    for flags in [["--dry-run"].as_slice(), &[]] {
        let pool = database.pool();
        let mut lock = pool.begin().await.unwrap();
        sqlx::query("lock table ledger.stripe_links").execute(&mut *lock).await.unwrap();
        let mut command = program::command(&["import", "accounts", file.to_str().unwrap()]);
        command.args(flags).env("DATABASE_URL", database.url());
        let import = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Longer than a wait for a connection is nothing to speak of.
        tokio::time::sleep(Duration::from_secs(4)).await;
        lock.rollback().await.unwrap();
        let output = import.wait_with_output().unwrap();
        assert_eq!((program::code(&output), program::stderr(&output).as_str()), (0, ""), "{flags:?}");
    }
    drop(served);
}

/// As many as `IMPORTED_ACCOUNTS` says, with two grants each.
#[tokio::test(flavor = "multi_thread")]
async fn many_accounts_move_in_and_a_second_time_changes_nothing() {
    let accounts =
        std::env::var("IMPORTED_ACCOUNTS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000_u64);
    let (database, scratch) = (TestDatabase::create().await, Scratch::create());
    let file = file_of(accounts, &scratch);
    let begun = Instant::now();
    let (code, report) = run(&database, &file, &[]);
    let first = begun.elapsed();
    assert_eq!((code, counts(&report)), (0, [accounts, 0, 0, 0]), "{report}");
    let written = events(&database).await;
    assert_eq!(u64::try_from(written).unwrap(), accounts * 4);
    let begun = Instant::now();
    let (code, report) = run(&database, &file, &[]);
    let second = begun.elapsed();
    assert_eq!((code, counts(&report)), (0, [0, accounts, 0, 0]), "{report}");
    assert_eq!(events(&database).await, written);
    println!("{accounts} accounts: {first:.1?} the first time, {second:.1?} the second");
    // Five minutes for 100,000, and as long as this machine may need to begin.
    let most = Duration::from_secs(30) + Duration::from_millis(3) * u32::try_from(accounts).unwrap();
    assert!(first < most && second < most, "{first:?} {second:?}");
}
