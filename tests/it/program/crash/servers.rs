//! Two servers on one database, anybody anywhere: is nothing overdrawn, lost or doubled?
//!
//! `COUNTERFOIL_CROWD_SECONDS` says for how long they are used.

use std::{sync::Arc, time::Duration};

use counterfoil::{
    audit::{AuditScope, verify_journal, verify_read_models},
    http::HttpSettings,
    journal::feed::Feed,
    projections,
    projector::Projector,
};
use tokio_util::sync::CancellationToken;

use super::{
    books::{Books, Holding},
    kills::assert_stored_once,
    traffic::{Target, Traffic},
};
use crate::support::{
    dice::{Dice, setting},
    http::{Server, router, serve},
    ledger::start,
};

const SECONDS: &str = "COUNTERFOIL_CROWD_SECONDS";
const SECONDS_DEFAULT: u64 = 6;
const CALLERS: usize = 64;
const ACCOUNTS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_of_one_database_tell_and_keep_the_same() {
    let mut dice = Dice::seeded("servers");
    let server = Server::start().await;
    let pool = server.test.database.pool();
    let (ledger, _running) = start(pool.clone(), server.test.clock.clone()).await;
    let stop = CancellationToken::new();
    let (address, _stop, served) =
        serve(router(pool.clone(), &ledger, HttpSettings::default(), &stop).await).await;
    let target = Target::new(vec![server.address.clone(), address], &server.admin);
    let accounts: Vec<String> = (0..ACCOUNTS).map(|number| format!("account-{number}")).collect();
    let opened = target.open(&accounts).await;
    let books = Arc::new(Books::default());

    let traffic = Traffic::begin(CALLERS, &target, &accounts, &books, &mut dice);
    // How long the work goes on, which nothing else waits for.
    tokio::time::sleep(Duration::from_secs(setting(SECONDS).unwrap_or(SECONDS_DEFAULT))).await;
    traffic.end().await;

    eprintln!("two servers: {}", books.summary());
    assert_eq!(books.take_unanswered().len(), 0, "everything is answered where nothing breaks");
    for (account, expected) in books.holdings(&accounts, opened) {
        let mut told = Vec::new();
        for address in target.addresses() {
            let mut answer = target.account(address, &account).await;
            answer.as_object_mut().unwrap().remove("lag_ms");
            told.push(answer);
        }
        assert_eq!(told[0], told[1]);
        let balance = &told[0]["balance"];
        let amount = |name: &str| balance[name].as_i64().unwrap();
        let holding = Holding { available: amount("available"), held: amount("held") };
        assert_eq!(holding, expected, "{account}");
    }
    assert_stored_once(&pool, &books).await;
    let mut verification =
        verify_journal(&pool, &AuditScope::WHOLE, |_, _| {}).await.expect("the database answers");
    let projector =
        Projector::open(pool.clone(), Feed::new(pool.clone()), projections::all(), server.test.clock.clone());
    let projector = projector.await.expect("the database answers");
    verify_read_models(&projector, &mut verification, |_, _, _| {}).await.expect("they can be built");
    assert!(verification.is_clean(), "{:?}", verification.findings);
    let mut done = books.done_since(0);
    let asked = (0..500).filter_map(|_| dice.draw(&mut done)).collect();
    target.expect_same(asked, &mut dice).await;
    stop.cancel();
    served.abort();
}
