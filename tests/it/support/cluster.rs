//! The one server that all tests of a run share: a throw-away cluster, or the one that `TEST_DATABASE_URL` names.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use counterfoil::postgres::{self, Durability, Server, ServerOptions, migrations};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool};
use tokio::runtime::Runtime;

use super::{scratch, shards};

/// Every test opens a pool of its own, and tests run side by side.
const MAX_CONNECTIONS: u16 = 300;
/// Connections that create and drop databases. They are taken in turn, so tests cannot run far ahead of the drops.
const ADMIN_CONNECTIONS: u32 = 8;
/// Serializes the runs that share a `TEST_DATABASE_URL` while they make the template.
const TEMPLATE_LOCK_KEY: i64 = 0x6366_2D74_656D_706C;
const EXIT_PATIENCE: Duration = Duration::from_secs(5);

static SHARED: OnceLock<SharedServer> = OnceLock::new();

/// Set when a test has failed: its database is kept, so the cluster has to stay on disk.
static KEEP: AtomicBool = AtomicBool::new(false);

pub struct SharedServer {
    /// Outlives every test's own runtime.
    runtime: Runtime,
    own: Option<OwnServer>,
    options: PgConnectOptions,
    admin: PgPool,
    template: String,
    /// What follows the name in `create database … template …`.
    strategy: &'static str,
}

struct OwnServer {
    server: Server,
    directory: PathBuf,
}

/// The shared server. The first caller starts it.
pub fn shared() -> &'static SharedServer {
    // On a thread of its own, since a test's thread is inside of a runtime already and cannot block on another.
    SHARED.get_or_init(|| std::thread::spawn(SharedServer::start).join().expect("the shared server starts"))
}

impl SharedServer {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("shared-server")
            .enable_all()
            .build()
            .expect("a runtime");
        let shared = runtime.block_on(async {
            let (own, options) = match std::env::var("TEST_DATABASE_URL") {
                Ok(url) => (None, PgConnectOptions::from_str(&url).expect("TEST_DATABASE_URL is a URL")),
                Err(_) => start_own().await,
            };
            let options = options.disable_statement_logging();
            let admin =
                PgPoolOptions::new().max_connections(ADMIN_CONNECTIONS).connect_lazy_with(options.clone());
            let template = make_template(&options).await.expect("the template database");
            let strategy = choose_strategy(&admin).await.expect("the server's version");
            (own, options, admin, template, strategy)
        });
        let (own, options, admin, template, strategy) = shared;
        Self { runtime, own, options, admin, template, strategy }
    }

    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        self.options.clone().database(database)
    }

    /// Creates a migrated database.
    pub async fn create_database(&'static self, name: String) {
        let sql = format!("create database {name} template {} {}", self.template, self.strategy);
        let created = self.runtime.spawn(async move { self.admin.execute(sql.as_str()).await }).await;
        created.expect("the server's runtime lives").expect("the database is created");
    }

    /// Creates a database and migrates it.
    pub async fn create_sharded(&'static self, name: String, count: u16) {
        let options = self.connect_options(&name);
        let sql = format!("create database {name}");
        let created = self.runtime.spawn(async move { self.admin.execute(sql.as_str()).await }).await;
        created.expect("the server's runtime lives").expect("the database is created");
        migrations::run(&options, Some(count)).await.expect("migrated");
    }

    /// Drops a database and ends the sessions in it. Blocks, for use in `Drop`.
    pub fn drop_database(&'static self, name: &str) {
        let sql = format!("drop database if exists {name} with (force)");
        let drop = self.runtime.spawn(async move { self.admin.execute(sql.as_str()).await });
        // The server waits a tenth of a second for the sessions to end. In our own cluster nobody has to wait with it,
        // since whatever is left when the tests are over goes away with the cluster.
        if self.own.is_some() {
            return;
        }
        let (done, wait) = std::sync::mpsc::channel();
        self.runtime.spawn(async move { done.send(drop.await) });
        match wait.recv() {
            Ok(Ok(Ok(_))) => {}
            failure => eprintln!("cannot drop database {name}: {failure:?}"),
        }
    }

    /// Keeps a database for a look, and says how to get there.
    pub fn keep_database(&self, name: &str) {
        KEEP.store(true, Ordering::Relaxed);
        match &self.own {
            None => eprintln!("kept for a look: database {name}"),
            Some(own) => eprintln!(
                "kept for a look, until the next run: database {name}. As the owner of the directory: \
                 postgres -D {0}/postgres -k {0}/socket -c listen_addresses= -c hba_file={0}/pg_hba.conf \
                 -c ident_file={0}/pg_ident.conf & psql -h {0}/socket -U counterfoil {name}",
                own.directory.display()
            ),
        }
    }
}

async fn start_own() -> (Option<OwnServer>, PgConnectOptions) {
    scratch::remove_stale();
    let directory = scratch::create();
    let options = ServerOptions {
        data_directory: directory.clone(),
        binaries: None,
        durability: Durability::Off,
        max_connections: MAX_CONNECTIONS,
    };
    let server = postgres::start(options).await.expect("a throw-away server starts");
    let options = server.connect_options("postgres");
    // SAFETY: `end_at_exit` is a function of the required type that lives as long as the program.
    assert_eq!(unsafe { libc::atexit(end_at_exit) }, 0, "the end of the run is noticed");
    (Some(OwnServer { server, directory }), options)
}

/// Runs when the tests are over. A run that is killed ends its server too: the kernel does that; the directory is then
/// removed by the next run.
extern "C" fn end_at_exit() {
    let Some(own) = SHARED.get().and_then(|shared| shared.own.as_ref()) else { return };
    if KEEP.load(Ordering::Relaxed) {
        return;
    }
    let Ok(pid) = i32::try_from(own.server.pid()) else { return };
    // SAFETY: kill has no memory effects in this process; the pid was our child's until a moment ago.
    unsafe { libc::kill(pid, libc::SIGQUIT) };
    let begin = Instant::now();
    // SAFETY: as above; signal 0 only asks whether the process is there.
    while unsafe { libc::kill(pid, 0) } == 0 && begin.elapsed() < EXIT_PATIENCE {
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = fs::remove_dir_all(&own.directory);
}

/// The template is named by what is in it, and appears whole: it is made under another name first.
async fn make_template(options: &PgConnectOptions) -> Result<String, Box<dyn std::error::Error>> {
    let template = format!("counterfoil_template_{}", fingerprint());
    let unfinished = format!("{template}_unfinished");
    let mut admin = PgConnection::connect_with(options).await?;
    sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK_KEY).execute(&mut admin).await?;
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&template)
        .fetch_one(&mut admin)
        .await?;
    if !exists {
        admin.execute(format!("drop database if exists {unfinished}").as_str()).await?;
        admin.execute(format!("create database {unfinished}").as_str()).await?;
        migrations::run(&options.clone().database(&unfinished), Some(shards::count())).await?;
        admin.execute(format!("alter database {unfinished} rename to {template}").as_str()).await?;
    }
    admin.close().await?;
    Ok(template)
}

fn fingerprint() -> String {
    let mut hash = Sha256::new();
    for migration in migrations::migrator().iter() {
        hash.update(&migration.checksum);
    }
    hash.update(shards::count().to_be_bytes());
    hex::encode(&hash.finalize()[..8])
}

/// Copying the template's files is faster than writing them to the log, where the server can do it.
async fn choose_strategy(admin: &PgPool) -> Result<&'static str, sqlx::Error> {
    let version: i32 =
        sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(admin).await?;
    Ok(if version >= 150_000 { "strategy file_copy" } else { "" })
}
