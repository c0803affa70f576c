//! How fast is the ledger over HTTP? The program serves as users start it, its read models follow, and keep-alive
//! clients are on loopback.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use counterfoil::{
    auth::keys::{self, KeyScope, NewKey},
    catalog::Mode,
    clock::Clock,
    http::{self, AppParts, AppState, Connections, HttpSettings},
    instances::Instances,
    journal::feed::Feed,
    load::{self, Choice, LoadPlan, LoadReport, LoadTarget, Pace, RequestForm, Until},
    projections,
    projector::Projector,
    stripe::{
        inbound::{inbox::Inbox, signature::Secrets},
        outbound::{Billing, BillingMode},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    OurBench, accounts,
    served::{ReadModels, Served},
};
use crate::{
    database::Fallible,
    report::{Figure, name},
};

const BATCH_ITEMS: usize = 100;
const BATCH_CONNECTIONS: usize = 16;
/// How often it is looked how far the read models are behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How requests are sent for one figure.
struct Way {
    choice: Choice,
    form: RequestForm,
    connections: usize,
    pace: Pace,
    read_models: ReadModels,
}

impl Way {
    fn single(choice: Choice, connections: usize) -> Self {
        Self {
            choice,
            form: RequestForm::deduction(),
            connections,
            pace: Pace::AsAnswered,
            read_models: ReadModels::Follow,
        }
    }
}

pub async fn measure(figure: &'static str, bench: &OurBench, duration: Duration) -> Fallible<Figure> {
    let way = match figure {
        name::HTTP_SINGLE_64 => Way::single(Choice::Uniform, 64),
        name::HTTP_SINGLE_256 | name::HTTP_SINGLE_256_OF_8 => Way::single(Choice::Uniform, 256),
        name::HTTP_SINGLE_256_ALONE | name::HTTP_SINGLE_256_OF_8_ALONE => {
            Way { read_models: ReadModels::Rest, ..Way::single(Choice::Uniform, 256) }
        }
        // The program answers, and does nothing else.
        name::HTTP_NOTHING_256 => Way {
            form: RequestForm::one("GET", "/healthz", ""),
            read_models: ReadModels::Rest,
            ..Way::single(Choice::Uniform, 256)
        },
        name::HTTP_HOT_256 | name::HTTP_HOT_256_OF_8 => Way::single(Choice::Hot, 256),
        name::HTTP_BATCH_100 | name::HTTP_BATCH_100_OF_8 => Way {
            choice: Choice::Uniform,
            form: RequestForm::deductions(BATCH_ITEMS),
            connections: BATCH_CONNECTIONS,
            pace: Pace::AsAnswered,
            read_models: ReadModels::Follow,
        },
        name::HTTP_BATCH_100_ALONE => Way {
            choice: Choice::Uniform,
            form: RequestForm::deductions(BATCH_ITEMS),
            connections: BATCH_CONNECTIONS,
            pace: Pace::AsAnswered,
            read_models: ReadModels::Rest,
        },
        unknown => return Err(format!("nothing measures {unknown}").into()),
    };
    let (report, lag) = run(bench, way, duration).await?;
    Ok(Figure::of_load(figure, &report).behind(lag))
}

/// The latency of a deduction at half the server's throughput, which is measured first.
/// Over a minute, the database makes a checkpoint meanwhile.
pub async fn at_half_load(bench: &OurBench, duration: Duration) -> Fallible<Figure> {
    let (most, _) = run(bench, Way::single(Choice::Uniform, 256), duration / 2).await?;
    let half = u32::try_from(most.items_accepted * 1_000 / most.elapsed_ms / 2)?;
    let way = Way { pace: Pace::PerSecond(half), ..Way::single(Choice::Uniform, 256) };
    bench.set_server(&["alter system set checkpoint_timeout = '30s'"]).await?;
    let measured = run(bench, way, duration).await;
    bench.set_server(&["alter system reset checkpoint_timeout"]).await?;
    let (report, lag) = measured?;
    Ok(Figure::of_load(name::HTTP_HALF_LOAD, &report).behind(lag))
}

/// Also returns how far the read models were behind at most; `None` if they did not follow.
async fn run(bench: &OurBench, way: Way, duration: Duration) -> Fallible<(LoadReport, Option<Duration>)> {
    let served = Served::start(&bench.pool, way.read_models).await?;
    let key = bench.key().await?;
    let mut load = Box::pin(load::run(LoadPlan {
        target: LoadTarget::parse(&format!("http://{}", served.address), &key)?,
        form: way.form,
        accounts: accounts(way.choice),
        connections: way.connections,
        threads: 1,
        pace: way.pace,
        until: Until::Elapsed(duration),
    }));
    let mut lag_ms = 0;
    let report = loop {
        tokio::select! {
            report = &mut load => break report?,
            () = tokio::time::sleep(LOOK_EVERY) => lag_ms = lag_ms.max(served.lag_ms().await?),
        }
    };
    if report.items_accepted != report.items || report.unanswered != 0 {
        return Err(format!("commands were refused or lost:\n{report}").into());
    }
    let lag = match way.read_models {
        ReadModels::Follow => {
            served.until_caught_up().await?;
            Some(Duration::from_millis(u64::try_from(lag_ms)?))
        }
        ReadModels::Rest | ReadModels::Catch => None,
    };
    served.end().await?;
    Ok((report, lag))
}

/// The routes in this process, for what is no load of commands.
pub async fn serve(
    bench: &OurBench,
    secrets: Secrets,
) -> Fallible<(SocketAddr, JoinHandle<std::io::Result<()>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let feed = Feed::new(bench.pool.clone());
    let projector = Projector::open(bench.pool.clone(), feed, projections::all(), Clock::system()).await?;
    let router = http::router(AppState::new(AppParts {
        ledger: bench.ledger.clone(),
        pool: bench.pool.clone(),
        mode: Mode::Test,
        metrics: None,
        instances: Instances::new(bench.ledger.shards().clone(), None),
        others: http::passed_on::client()?,
        projector,
        inbox: Inbox::new(bench.pool.clone()),
        billing: Billing::new(BillingMode::NotConfigured, bench.pool.clone(), bench.ledger.clone()),
        secrets,
        settings: HttpSettings::default(),
    }));
    Ok((address, tokio::spawn(http::serve(listener, router, Connections::allowed(), std::future::pending()))))
}

impl OurBench {
    /// Changes settings of the whole server.
    async fn set_server(&self, statements: &[&str]) -> Fallible<()> {
        for statement in statements.iter().chain(&["select pg_reload_conf()"]) {
            sqlx::query(statement).execute(&self.pool).await?;
        }
        Ok(())
    }

    pub(super) async fn key(&self) -> Fallible<String> {
        let new = NewKey {
            name: "bench".to_owned(),
            mode: Mode::Test,
            scopes: BTreeSet::from([KeyScope::Deduct]),
            accounts: None,
            expires_at: None,
            requests_per_minute: Some(0),
        };
        let created = keys::create(&self.pool, &Clock::system(), new).await?;
        Ok(created.secret.reveal().to_owned())
    }
}
