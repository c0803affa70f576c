//! How is the program served that is measured? By its own command `serve`, in a process of its own.

use std::{
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};

use counterfoil::{clock::Clock, journal::feed::Feed, projections, projector::Projector};
use sqlx::{ConnectOptions, PgPool};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

use crate::database::Fallible;

const READY_MAX: Duration = Duration::from_secs(30);
/// How long the read models may need after the load, before the measurement counts as failed.
const CAUGHT_UP_MAX: Duration = Duration::from_secs(120);

/// Whether the read models follow the journal while it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadModels {
    Follow,
    /// They follow, and it is not waited until they have caught up with what was there before.
    Catch,
    /// Another process leads them, and does nothing.
    Rest,
}

/// The program while it serves; it ends when this is dropped.
pub struct Served {
    pub address: SocketAddr,
    projector: Projector,
    program: Child,
}

impl Served {
    /// Starts the program on a database, and waits until it is ready and has nothing left to do.
    pub async fn start(pool: &PgPool, read_models: ReadModels) -> Fallible<Self> {
        let feed = Feed::new(pool.clone());
        let projector = Projector::open(pool.clone(), feed, projections::all(), Clock::system()).await?;
        if read_models == ReadModels::Rest {
            lead_all(pool).await?;
        }
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let program = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
            .arg("serve")
            .env("DATABASE_URL", pool.connect_options().to_url_lossy().as_str())
            .env("COUNTERFOIL_LISTEN", address.to_string())
            .env("COUNTERFOIL_CATALOG", concat!(env!("CARGO_MANIFEST_DIR"), "/catalogs/music.toml"))
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let served = Self { address, projector, program };
        served.until_ready().await?;
        if read_models == ReadModels::Follow {
            served.until_caught_up().await?;
        }
        Ok(served)
    }

    async fn until_ready(&self) -> Fallible<()> {
        let deadline = Instant::now() + READY_MAX;
        let (client, url) = (reqwest::Client::new(), format!("http://{}/healthz", self.address));
        while client.get(&url).send().await.is_err() {
            if Instant::now() > deadline {
                return Err("the program does not serve".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends the program as an operator does, so that the next one follows at once.
    pub async fn end(mut self) -> Fallible<()> {
        let id = self.program.id().ok_or("the program has ended")?;
        let ended = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        if !ended.success() || !self.program.wait().await?.success() {
            return Err("the program did not end as it should".into());
        }
        Ok(())
    }

    /// Waits until every read model has all events. Returns how long that took.
    pub async fn until_caught_up(&self) -> Fallible<Duration> {
        self.until_caught_up_within(CAUGHT_UP_MAX).await
    }

    pub async fn until_caught_up_within(&self, patience: Duration) -> Fallible<Duration> {
        let begun = Instant::now();
        while self.lag_ms().await? > 0 {
            if begun.elapsed() > patience {
                return Err("the read models do not catch up".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(begun.elapsed())
    }

    /// How much memory the program takes now.
    pub fn resident_bytes(&self) -> Fallible<u64> {
        let pid = self.program.id().ok_or("the program has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|line| line.split_whitespace().next()).ok_or("no size")?;
        Ok(kilobytes.parse::<u64>()? * 1_024)
    }

    /// How far the read model is behind that is the furthest, in milliseconds.
    pub async fn lag_ms(&self) -> Fallible<i64> {
        let listed = self.projector.list().await?;
        Ok(listed.iter().map(|listing| listing.lag_ms).max().unwrap_or(0))
    }
}

/// As a process does that follows nothing for a day.
async fn lead_all(pool: &PgPool) -> Fallible<()> {
    let lead = "insert into read.leases \
        select 'counterfoil/' || shard, $1, now() + interval '1 day' from ledger.heads";
    sqlx::query(lead).bind(uuid::Uuid::new_v4()).execute(pool).await?;
    Ok(())
}
