//! Is a customer found by an e-mail address, which nobody here keeps?

use counterfoil::{auth::keys::KeyScope, domain::time::Timestamp, stripe::outbound::BillingMode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    heard::Heard,
    shop::{Shop, serve},
};

const ADA: &str = "ada@example.com";
const FOUND: &str = "/v1/customers?email=ada@example.com";

/// `ada` and `eve` are customers with one address, and so is somebody who is no account's; `bob` has another.
async fn several() -> (Shop, Vec<String>) {
    let shop = Shop::start().await;
    let mut customers = Vec::new();
    for (account, email) in [("ada", ADA), ("eve", ADA), ("bob", "bob@example.com")] {
        shop.server.open(account).await;
        let path = format!("/v1/accounts/{account}/customer");
        let made = shop.server.call(Method::PUT, &path).json(json!({ "email": email })).send().await;
        assert_eq!(made.status, 201, "{}", made.text);
        customers.push(made.body["customer"].as_str().unwrap().to_owned());
        shop.advance("1 minute").await;
    }
    let strange = shop.at_stripe(Method::POST, "/v1/customers", &[("email", ADA)]).await;
    customers.push(strange["id"].as_str().unwrap().to_owned());
    shop.settled().await;
    (shop, customers)
}

/// The customers with the address, once the read models have all that the journal has now.
async fn found_now(shop: &Shop) -> String {
    let position = shop.server.get("/v1/accounts/bob").send().await.body["as_of_position"].clone();
    format!("{FOUND}&min_position={}", position.as_str().unwrap())
}

/// Each customer that is found, with its account.
fn pairs(found: &Value) -> Vec<(&str, Option<&str>)> {
    let customers = found["customers"].as_array().unwrap_or_else(|| panic!("{found}"));
    let pairs = customers.iter().map(|one| (one["customer"].as_str().unwrap(), one["account"].as_str()));
    pairs.collect()
}

#[tokio::test]
async fn customers_are_found_by_their_address_with_their_accounts() {
    let (shop, customers) = several().await;
    let found = shop.server.get(&found_now(&shop).await).send().await;
    assert_eq!(
        pairs(&found.body),
        [(&*customers[3], None), (&customers[1], Some("eve")), (&customers[0], Some("ada"))],
        "the newest first: {}",
        found.text
    );
    let at_stripe = shop.at_stripe(Method::GET, &format!("/v1/customers/{}", customers[0]), &[]).await;
    let created = found.body["customers"][2]["created_at"].as_str().unwrap();
    let created = Timestamp::parse(created).unwrap();
    assert_eq!(json!(created.seconds()), at_stripe["created"]);
    assert!(!found.text.contains(ADA), "{}", found.text);
    let nobody = shop.server.get("/v1/customers?email=nobody@example.com").send().await;
    assert_eq!(nobody.body["customers"], json!([]));
    for wrong in ["", "?email=ada", "?email=", "?email=a@b&email=c@d", "?email=ada@example.com&limit=5"] {
        let refused = shop.server.get(&format!("/v1/customers{wrong}")).send().await;
        refused.is_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_key_for_some_accounts_finds_the_customers_of_those_alone() {
    let (shop, customers) = several().await;
    let own = shop.server.key([KeyScope::Billing], Some(&["eve", "bob"])).await;
    let found = shop.server.get(&found_now(&shop).await).key(&own).send().await;
    assert_eq!(pairs(&found.body), [(&*customers[1], Some("eve"))]);
    let reading = shop.server.key([KeyScope::Read], None).await;
    shop.server.get(FOUND).key(&reading).send().await.is_problem(403, "scope_missing");
}

#[tokio::test]
async fn all_customers_of_an_address_are_found_however_many() {
    let shop = Shop::start().await;
    for number in 0..103 {
        let form = [("email", ADA), ("name", &*format!("Ada {number}"))];
        shop.at_stripe(Method::POST, "/v1/customers", &form).await;
    }
    let found = shop.server.get(FOUND).send().await;
    let customers = pairs(&found.body);
    assert_eq!(customers.len(), 103);
    assert!(customers.is_sorted_by(|one, other| one.0 != other.0));
    assert!(!found.text.contains("Ada"), "{}", found.text);
}

/// Neither when it is found, nor when it is mistyped, nor when Stripe is away.
#[tokio::test]
async fn the_address_is_in_no_table_no_log_and_no_figure() {
    let heard = Heard::begin();
    let (shop, _) = several().await;
    assert_eq!(shop.server.get(FOUND).send().await.status, 200);
    let wrong = shop.server.get("/v1/customers?email=ada@example.com@example.com").send().await;
    assert!(wrong.status == 400 && !wrong.text.contains("ada@"), "{}", wrong.text);
    let twice = shop.server.get(&format!("{FOUND}&email={ADA}")).send().await;
    assert!(twice.status == 400 && !twice.text.contains("ada@"), "{}", twice.text);
    shop.fail(json!([{ "status": 500, "times": 3 }])).await;
    let away = shop.server.get(FOUND).send().await;
    away.is_problem(503, "stripe_unavailable");
    assert!(!away.text.contains("ada@"), "{}", away.text);
    let said = heard.all();
    assert!(said.contains("a call to Stripe has failed"), "{said}");
    for text in ["ada@", "example.com", "ada%40"] {
        assert!(!said.contains(text), "{text} in {said}");
        assert!(!heard.figures().contains(text), "{text}");
    }
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('select coalesce(string_agg(row::text, chr(10)), %L) from %s row', '', oid::regclass) \
         from pg_class where relkind = 'r' and relnamespace in ('ledger'::regnamespace, 'read'::regnamespace)",
    )
    .fetch_all(&shop.server.test.database.pool())
    .await
    .unwrap();
    assert!(tables.len() > 20);
    for table in tables {
        let rows: String =
            sqlx::query_scalar(&table).fetch_one(&shop.server.test.database.pool()).await.unwrap();
        assert!(!rows.contains("ada@") && !rows.contains("example.com"), "{table}: {rows}");
    }
}

#[tokio::test]
async fn where_stripe_is_not_asked_nobody_is_found() {
    let off = serve(BillingMode::Off).await;
    off.get(FOUND).send().await.is_problem(503, "billing_off");
}
