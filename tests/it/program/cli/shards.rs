//! What do commands say of several shards? And does a database that several instances start on at once have everything
//! once?

use std::time::{Duration, Instant};

use serde_json::Value;

use super::serve::off_thread;
use crate::support::{database::TestDatabase, program, program::Served};

/// Less than a statement waits for a lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

fn run(database: &TestDatabase, arguments: &[&str]) -> std::process::Output {
    let mut command = program::command(arguments);
    command.env_remove("COUNTERFOIL_SHARDS");
    program::run(command.env("DATABASE_URL", database.url()))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_read_models_names_its_shard() {
    let database = TestDatabase::of_shards(4).await;
    let listed = program::json(&run(&database, &["--json", "projections", "list"]));
    let numbers = "select shard::bigint from ledger.heads order by shard";
    let numbers: Vec<i64> = sqlx::query_scalar(numbers).fetch_all(&database.pool()).await.expect("4");
    let lines: Vec<&Value> =
        listed.as_array().expect("lines").iter().filter(|line| line["projection"] == "usage").collect();
    let mut shards: Vec<i64> = lines.iter().map(|line| line["shard"].as_i64().expect("a number")).collect();
    shards.sort_unstable();
    assert_eq!(shards, numbers, "{listed}");
    let shown = run(&database, &["projections", "list"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.lines().take(3).any(|line| line.contains("shard")), "{shown}");
    let column = |line: &str| -> Option<i64> {
        let mut words = line.split_whitespace().skip_while(|word| *word != "usage");
        words.nth(2)?.parse().ok()
    };
    let mut shards: Vec<i64> = shown.lines().filter_map(column).collect();
    shards.sort_unstable();
    assert_eq!(shards, numbers, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_a_shard_that_is_not_there_is_refused() {
    let database = TestDatabase::of_shards(4).await;
    let hash = "0".repeat(64);
    for (head, code, because) in [
        (format!("999/1:{hash}"), 2, "there is no shard 999"),
        (format!("1:{hash}"), 2, "each head comes after the number of its own"),
        (format!("0/1:{hash}"), 1, ""),
    ] {
        let output = run(&database, &["audit", "verify", "--since", &head]);
        assert_eq!(program::code(&output), code, "{head}: {}", program::stderr(&output));
        assert!(program::stderr(&output).contains(because), "{}", program::stderr(&output));
    }
    let output = run(&database, &["audit", "verify", "--shard", "999"]);
    assert_eq!(program::code(&output), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_first_starts_at_once_make_everything_once() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    // Both find no key, and come to store theirs at the same time.
    let mut meeting = pool.begin().await.expect("it begins");
    let lock = "lock table ledger.api_keys in share mode";
    sqlx::query(lock).execute(&mut *meeting).await.expect("nobody writes");
    let met = async {
        let waiting = "select count(*) from pg_locks \
                       where relation = 'ledger.api_keys'::regclass and not granted";
        let (mut count, mut first) = (0_i64, None);
        // On a busy machine the first one would give up before the other one is there.
        while count < 2 && first.is_none_or(|first: Instant| first.elapsed() < LOCK_PATIENCE) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            count = sqlx::query_scalar(waiting).fetch_one(&pool).await.expect("an answer");
            first = first.or((count > 0).then(Instant::now));
        }
        meeting.commit().await.expect("they go on");
    };
    let start = |url: String| off_thread(move || Served::on(&url));
    let (one, other, ()) = tokio::join!(start(database.url()), start(database.url()), met);
    let made = [&one, &other].iter().filter(|served| served.banner.get("admin_key_file").is_some()).count();
    assert_eq!(made, 1, "one of them has made the first key");
    let counts: (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from ledger.api_keys), (select count(*) from ledger.mode),
         (select count(*) - count(distinct projection) from read.projections)",
    )
    .fetch_one(&database.pool())
    .await
    .expect("an answer");
    assert_eq!(counts, (1, 1, 0));
}
