//! A plan that is not sold any more, and that somebody is still on: the whole program, started again with another
//! catalog.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use counterfoil::{
    clock::Clock,
    stripe::inbound::{send, signature::WebhookSecret},
};
use serde_json::Value;

use crate::server::cases::documents;
use crate::support::{Scratch, catalogs, database::TestDatabase, program::Served};

const SECRET: &str = "whsec_of_retired_plans";

async fn serve(database: &TestDatabase, catalog: &Path) -> Served {
    let (url, catalog): (String, PathBuf) = (database.url(), catalog.to_owned());
    let served = tokio::task::spawn_blocking(move || {
        Served::start(|command| {
            command.env("DATABASE_URL", url).env("COUNTERFOIL_CATALOG", catalog);
            command.env("STRIPE_WEBHOOK_SECRET", SECRET).envs(catalogs::SETTINGS);
        })
    });
    served.await.expect("it starts")
}

async fn read(served: &Served, key: &str, path: &str) -> Value {
    let request = reqwest::Client::new().get(served.url(path)).bearer_auth(key);
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("text");
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).expect("JSON")
}

async fn assert_on_basic(served: &Served, key: &str, account: &str) {
    let now = read(served, key, &format!("/v1/accounts/{account}")).await;
    assert_eq!((&now["plan"], &now["balance"]["available"]), (&"basic".into(), &550.into()), "{now:#}");
    let limits = read(served, key, &format!("/v1/accounts/{account}/limits")).await;
    assert_eq!(limits["limits"][0]["max"], 50, "{limits:#}");
    let may = read(served, key, &format!("/v1/accounts/{account}/entitlements")).await;
    assert_eq!(may["features"]["commercial_license"], true, "{may:#}");
    assert_eq!(may["features"]["stem_separation"], false, "{may:#}");
}

/// Credits, features and limits are those of the last catalog that had the plan. Limits never fail open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_left_the_catalog_keeps_its_last_terms_for_those_who_are_on_it() {
    let (database, directory) = (TestDatabase::create().await, Scratch::create());
    let [before, after] = ["before.toml", "after.toml"].map(|name| directory.path().join(name));
    std::fs::write(&before, catalogs::MUSIC).expect("it is written");
    let without = catalogs::without(catalogs::MUSIC, &["[plans.basic]", "[plans.basic."]);
    std::fs::write(&after, without).expect("it is written");

    // The program runs by the real clock, so the year has begun lately.
    let now = Clock::system().now();
    let events = documents::events("c39_plan_left_the_catalog");
    let since = documents::after(&events).seconds();
    let events: Vec<Value> =
        events.iter().map(|event| documents::moved(event, now.seconds() - since)).collect();

    let first = serve(&database, &before).await;
    let key = first.admin_key().to_owned();
    let (client, url) = (reqwest::Client::new(), first.url("/v1/webhooks/stripe"));
    for event in &events {
        let (secret, body) = (WebhookSecret::new("test", SECRET), serde_json::to_vec(event).expect("JSON"));
        let answer = send::send(&client, &url, &secret, body, now).await.expect("an answer");
        assert!(answer.is_accepted(), "{} {}", answer.status, answer.body);
    }
    for event in &events {
        let path = format!("/v1/inbox/{}", event["id"].as_str().expect("an id"));
        while read(&first, &key, &path).await["event"]["state"] == "received" {
            tokio::time::sleep(TimeDelta::milliseconds(10).to_std().expect("not negative")).await;
        }
    }
    assert_on_basic(&first, &key, "c39").await;
    first.stop();

    let second = serve(&database, &after).await;
    assert_on_basic(&second, &key, "c39").await;
    second.stop();
}
