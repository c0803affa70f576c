//! Does the embedded server keep what it acknowledged, whatever happens to it or to us?

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use counterfoil::postgres::{
    self, DATABASE, Durability, Server, ServerOptions, StartError, migrations, pool,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};

use crate::support::Scratch;
use crate::support::database::TestDatabase;

/// Names the data directory to a copy of this program that is started to be killed.
const VICTIM_DIRECTORY: &str = "COUNTERFOIL_TEST_VICTIM_DIRECTORY";

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

fn kill(pid: u32) {
    let pid = i32::try_from(pid).unwrap();
    // SAFETY: kill has no memory effects in this process.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
}

/// Whether a process is there and has not ended. One that ended stays in the table until `init` has noticed.
fn runs(pid: u32) -> bool {
    // SAFETY: signal 0 only asks whether the process is there.
    let exists = unsafe { libc::kill(i32::try_from(pid).unwrap(), 0) == 0 };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    exists && !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z')
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

async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain until {what}");
}

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
async fn acknowledged_rows_outlive_a_kill_of_the_server() {
    let scratch = Scratch::create();
    let server = start(durable(scratch.path())).await;
    let mut connection = connect(&server).await;
    write_rows(&mut connection, 100).await;
    kill(server.pid());
    assert!(!server.exited().await.unwrap().success(), "the program learns of it");
    drop(server);

    let server = start(durable(scratch.path())).await;
    assert_eq!(count_rows(&server).await, 100);
    server.stop().await;
}

#[tokio::test]
async fn a_killed_program_takes_its_server_with_it_and_loses_nothing() {
    if let Some(directory) = std::env::var_os(VICTIM_DIRECTORY) {
        return be_the_victim(Path::new(&directory)).await;
    }
    let scratch = Scratch::create();
    let (mut victim, server_pid) = start_victim(scratch.path()).await;
    kill(victim.id());
    victim.wait().unwrap();

    // At once, while the old server is still on its way down.
    let server = start(durable(scratch.path())).await;
    assert!(!runs(server_pid), "the old server has gone");
    assert_eq!(count_rows(&server).await, 50);
    server.stop().await;
}

/// Starts a copy of this program, which starts a server and writes its rows. Tells the server's pid.
async fn start_victim(directory: &Path) -> (Child, u32) {
    let victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "database::postgres::a_killed_program_takes_its_server_with_it_and_loses_nothing"])
        .env(VICTIM_DIRECTORY, directory)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let note = directory.join("pid");
    wait_until("the victim has written its rows", || note.exists()).await;
    (victim, fs::read_to_string(&note).unwrap().parse().unwrap())
}

async fn be_the_victim(directory: &Path) {
    let server = start(durable(directory)).await;
    write_rows(&mut connect(&server).await, 50).await;
    let unfinished = directory.join("pid.unfinished");
    fs::write(&unfinished, server.pid().to_string()).unwrap();
    fs::rename(unfinished, directory.join("pid")).unwrap();
    std::future::pending::<()>().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_whose_program_was_killed_ends_without_another_start() {
    let scratch = Scratch::create();
    let (mut victim, server_pid) = start_victim(scratch.path()).await;
    kill(victim.id());
    victim.wait().unwrap();
    wait_until("the server has gone", || !runs(server_pid)).await;
}

#[tokio::test]
async fn a_data_directory_has_one_server_at_a_time() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    assert!(matches!(refusal(throw_away(scratch.path())).await, StartError::Locked { .. }));
    server.stop().await;
    start(throw_away(scratch.path())).await.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_was_left_behind_is_stopped() {
    let scratch = Scratch::create();
    let mut leftover = leave_a_server_behind(scratch.path()).await;
    let leftover_pid = leftover.id();
    // In the place of the `init` that takes over orphans.
    let reaper = std::thread::spawn(move || leftover.wait());

    let server = start(throw_away(scratch.path())).await;
    assert!(reaper.join().unwrap().unwrap().success(), "it was stopped in order");
    assert_ne!(server.pid(), leftover_pid);
    assert_eq!(ask(&mut connect(&server).await, "select 'up'").await, "up");
    server.stop().await;
}

/// Runs a server of the directory that nobody watches.
async fn leave_a_server_behind(directory: &Path) -> Child {
    let server = start(throw_away(directory)).await;
    let program = fs::read_link(format!("/proc/{}/exe", server.pid())).unwrap();
    server.stop().await;
    let leftover = command_of_owner(&program, directory)
        .args([PathBuf::from("-D"), directory.join("postgres")])
        .args([PathBuf::from("-k"), directory.join("socket")])
        .args(["-c", "listen_addresses="])
        .spawn()
        .unwrap();
    let status = directory.join("postgres/postmaster.pid");
    wait_until("it is ready", || fs::read_to_string(&status).is_ok_and(|text| text.contains("ready"))).await;
    leftover
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_lock_file_whose_pid_belongs_to_somebody_else_now_is_no_obstacle() {
    let scratch = Scratch::create();
    start(throw_away(scratch.path())).await.stop().await;
    let mut bystander = command_of_owner(Path::new("sleep"), scratch.path()).arg("600").spawn().unwrap();
    for file in ["postgres/postmaster.pid", "socket/.s.PGSQL.5432.lock"] {
        let path = scratch.path().join(file);
        fs::write(&path, format!("{}\n{}\n1\n5432\n", bystander.id(), scratch.path().display())).unwrap();
        let cluster = fs::metadata(scratch.path().join("postgres")).unwrap();
        std::os::unix::fs::chown(&path, Some(cluster.uid()), Some(cluster.gid())).unwrap();
    }

    let server = start(throw_away(scratch.path())).await;
    assert!(runs(bystander.id()), "nobody else is harmed");
    server.stop().await;
    bystander.kill().unwrap();
    bystander.wait().unwrap();
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

/// How somebody is known who connects.
async fn methods(server: &Server) -> String {
    let sql = "select string_agg(concat_ws(' ', type, user_name[1], auth_method), ', ' order by line_number) \
               from pg_hba_file_rules where error is null";
    ask(&mut connect(server).await, sql).await
}

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
        // Only root runs the server as somebody else.
        return;
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
        // Only root runs the server as somebody else.
        return;
    }
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
    let StartError::Unreachable { obstacle, .. } = refusal(durable(&home.path().join("data"))).await else {
        panic!("another refusal");
    };
    assert_eq!(obstacle, home.path().canonicalize().unwrap());
}

#[tokio::test]
async fn instances_that_start_together_migrate_once() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    let options = server.connect_options(DATABASE);
    let runs = futures::future::join_all((0..4).map(|_| migrations::run(&options))).await;
    for run in runs {
        run.unwrap();
    }
    let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
        .fetch_one(&mut connect(&server).await)
        .await
        .unwrap();
    assert_eq!(usize::try_from(applied).unwrap(), migrations::migrator().iter().count());
    server.stop().await;
}

#[tokio::test]
async fn a_pool_bounds_what_a_session_may_wait_for() {
    let database = TestDatabase::create().await;
    let mut session = database.pool().acquire().await.unwrap();
    for (setting, milliseconds) in [
        ("statement_timeout", pool::STATEMENT_TIMEOUT_MS),
        ("lock_timeout", pool::LOCK_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", pool::IDLE_IN_TRANSACTION_TIMEOUT_MS),
    ] {
        let set =
            ask(&mut session, &format!("select setting from pg_settings where name = '{setting}'")).await;
        assert_eq!(set, milliseconds.to_string(), "{setting}");
    }
    assert_eq!(ask(&mut session, "show application_name").await, "counterfoil");
}

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    let mut in_one = connect_with(&one.connect_options()).await;
    in_one.execute("create table ledger.mark ()").await.unwrap();
    let mut in_other = connect_with(&other.url().parse().unwrap()).await;
    assert_eq!(ask(&mut in_other, "select coalesce(to_regclass('ledger.mark')::text, 'none')").await, "none");
    in_one.close().await.unwrap();
}

/// A server that stops after that cuts no connection off.
#[tokio::test]
async fn a_pool_is_closed_when_the_last_of_its_connections_is() {
    let database = TestDatabase::create().await;
    for _ in 0..5 {
        let pool = pool::open(database.connect_options(), 2);
        let (idle, out) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        drop(idle);
        while pool.num_idle() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let out = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            drop(out);
        });
        pool::close(&pool).await;
        assert!(out.is_finished(), "it waited for the one that was out");
        assert_eq!(pool.size(), 0);
    }
}
