//! How fast is the ledger, in this process and over HTTP, on a database of its own?

pub mod budgets;
pub mod http;
pub mod reading;
pub mod served;
pub mod webhooks;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    catalog::{self, Mode},
    clock::Clock,
    domain::{
        amount::Credits,
        catalog::Catalog,
        command::{AccountCommand, Command, CreditsCommand, GrantCredits},
        credits::Source,
        ids::{AccountId, Actor, GrantId},
        recorded::Origin,
    },
    ledger::{ExecuteError, IdempotencyKey, Ledger, Provenance, Request},
    load::{Choice, Chooser, Histogram, LoadAccounts},
    postgres::{migrations, pool},
};
use futures::future::join_all;
use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::{
    database::{self, Fallible},
    measure::run_clients,
    report::{Figure, name},
};

pub const ACCOUNTS: u64 = 10_000;
/// As many as for the stock framework.
const CLIENTS: u64 = 64;
const POOL_CONNECTIONS: u32 = 10;
/// The credits of each account, so that nothing is refused.
const PLENTY: i64 = 1_000_000_000_000;
const OPENINGS_AT_A_TIME: usize = 1_000;

/// The ledger on a database of its own, with accounts that have enough credits.
pub struct OurBench {
    pub ledger: Ledger,
    pub pool: PgPool,
}

pub fn music() -> Fallible<Arc<Catalog>> {
    let text = include_str!("../../catalogs/music.toml");
    let catalog = catalog::parse(text, &|_| None, Mode::Test);
    Ok(Arc::new(catalog.map_err(|mistakes| format!("{mistakes:?}"))?))
}

/// The accounts of a measurement.
pub fn accounts(choice: Choice) -> LoadAccounts {
    LoadAccounts { prefix: "account-".to_owned(), count: ACCOUNTS, choice }
}

impl OurBench {
    /// With a journal of so many shards.
    pub async fn prepare(server: &PgConnectOptions, shards: u16) -> Fallible<Self> {
        let options = database::create(server, "bench_ours").await?;
        migrations::run(&options, Some(shards)).await?;
        let pool = pool::connect(options, POOL_CONNECTIONS).await?;
        let (ledger, _running) = Ledger::start(pool.clone(), music()?, Clock::system()).await?;
        let bench = Self { ledger, pool };
        bench.open_accounts().await?;
        Ok(bench)
    }

    async fn open_accounts(&self) -> Fallible<()> {
        let numbers: Vec<u64> = (0..ACCOUNTS).collect();
        for some in numbers.chunks(OPENINGS_AT_A_TIME) {
            let opened = join_all(some.iter().map(|number| self.open_account(*number))).await;
            opened.into_iter().collect::<Fallible<Vec<()>>>()?;
        }
        Ok(())
    }

    async fn open_account(&self, number: u64) -> Fallible<()> {
        let account = AccountId::parse(&accounts(Choice::Uniform).name(number))?;
        let opening =
            request(&account, Command::Account(AccountCommand::OpenAccount), IdempotencyKey::opening())?;
        self.ledger.execute(opening).await?;
        let grant = Command::Credits(CreditsCommand::GrantCredits(GrantCredits {
            grant_id: GrantId::parse("plenty")?,
            source: Source::Bonus,
            amount: Credits::new(PLENTY).ok_or("negative")?,
            starts_at: None,
            expires_at: None,
            // Spent before the sign-up credits, so that every deduction draws on one grant.
            priority: Some(0),
            cost: None,
            reason: "benchmark".to_owned(),
        }));
        self.ledger.execute(request(&account, grant, IdempotencyKey::caller("plenty"))?).await?;
        Ok(())
    }
}

fn request(account: &AccountId, command: Command, key: IdempotencyKey) -> Fallible<Request> {
    let provenance = Provenance {
        actor: Actor::parse("bench")?,
        origin: Origin::Api,
        correlation_id: None,
        causation_id: None,
        stripe_event: None,
    };
    Ok(Request::new(account.clone(), command, key, provenance))
}

pub async fn in_process(
    name: &'static str,
    choice: Choice,
    bench: &OurBench,
    duration: Duration,
) -> Fallible<Figure> {
    let chooser = Chooser::new(&accounts(choice));
    let clients = (0..clients_of(name))
        .map(|seed| Client {
            ledger: bench.ledger.clone(),
            accounts: accounts(choice),
            chooser: chooser.clone().seeded(seed),
            run: uuid::Uuid::new_v4().simple().to_string(),
        })
        .collect();
    run_clients(name, clients, duration, Client::deduct_until).await
}

fn clients_of(figure: &str) -> u64 {
    if figure == name::IN_PROCESS_UNIFORM_512 { 512 } else { CLIENTS }
}

struct Client {
    ledger: Ledger,
    accounts: LoadAccounts,
    chooser: Chooser,
    run: String,
}

impl Client {
    async fn deduct_until(mut self, until: Instant) -> Fallible<Histogram> {
        let mut latencies = Histogram::default();
        let mut now = Instant::now();
        let mut number = 0_u64;
        while now < until {
            number += 1;
            let account = AccountId::parse(&self.accounts.name(self.chooser.choose(number)))?;
            let command = Command::Credits(CreditsCommand::DeductCredits {
                amount: Credits::ONE,
                id: None,
                description: None,
            });
            let key = IdempotencyKey::caller(&format!("{}-{number}", self.run));
            match self.ledger.execute(request(&account, command, key)?).await {
                Ok(_) => {}
                Err(ExecuteError::Overloaded) => continue,
                Err(error) => return Err(error.into()),
            }
            let done = Instant::now();
            latencies.record(done - now);
            now = done;
        }
        Ok(latencies)
    }
}
