//! Accounts that were kept elsewhere, over HTTP.

use counterfoil::domain::ids::AccountId;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::http::{Answer, Server};

#[tokio::test]
async fn an_account_is_imported_once_by_its_route_and_in_batches() {
    let server = Server::start().await;
    let ada = json!({
        "as_of": "2026-06-01T00:00:00Z",
        "metadata": { "segment": "studio" },
        "customer": "cus_1",
        "grants": [
            { "source": "allocation", "amount": 300, "expires_at": "2099-01-01T00:00:00Z" },
            { "source": "top_up", "amount": 150, "cost": { "minor": 300, "currency": "usd" } },
        ],
        "debt": 100,
    });
    let path = "/v1/accounts/ada/import";
    let first = server.post(path, ada.clone()).send().await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(
        (&first.body["balance"]["available"], &first.body["balance"]["debt"]),
        (&json!(350), &json!(0))
    );
    assert_eq!(first.body["metadata"]["segment"], "studio");
    let again = server.post(path, ada.clone()).send().await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    let mut item = ada.clone();
    item["account"] = json!("ada");
    item["command"] = json!("import");
    let other = json!({ "account": "ada", "command": "import", "grants": [] });
    let new = json!({ "account": "bob", "command": "import", "grants": [] });
    let batch = server.post("/v1/commands", json!([item, other, new])).send().await;
    let statuses: Vec<_> =
        batch.body.as_array().unwrap().iter().map(|answer| answer["status"].clone()).collect();
    assert_eq!(statuses, [200, 409, 201], "{}", batch.text);
    assert_eq!(batch.body[1]["body"]["code"], "account_already_open");
    // It is an account like any other from then on, and who opens it gets it as it is.
    let opened = server.open("ada").await;
    assert_eq!(opened.body["balance"]["available"], 350, "{}", opened.text);
    server.open("cleo").await;
    server.post("/v1/accounts/cleo/import", json!({})).send().await.is_problem(409, "account_already_open");
}

#[tokio::test]
async fn a_debt_is_on_the_statement_before_it_is_paid_and_what_is_owed_is_advised_about() {
    let server = Server::start().await;
    let as_of = "2026-06-01T00:00:00Z";
    let grant = |at: &str| json!({ "source": "bonus", "amount": 50, "granted_at": at });
    let import = json!({ "as_of": as_of, "grants": [grant("2026-03-01T00:00:00Z")], "debt": 130 });
    assert_eq!(server.post("/v1/accounts/ada/import", import).send().await.status, 201);
    let statement =
        |query: &str| server.get(&format!("/v1/accounts/ada/statement?order=oldest_first{query}")).send();
    let whole = statement("").await;
    let lines = whole.body["lines"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| json!([line["type"], line["effective_at"], line["debt"]])).collect();
    let expected = json!([
        ["debt_moved_in", as_of, 130],
        ["bonus", "2026-03-01T00:00:00Z", 130],
        ["debt_paid", as_of, 80],
    ]);
    assert_eq!(json!(lines), expected);
    let march = statement("&from=2026-03-01&to=2026-03-31").await;
    assert_eq!(march.body["lines"].as_array().unwrap().len(), 1, "{}", march.text);

    let refused = server.post("/v1/accounts/ada/deductions", json!({ "amount": 450 })).send().await;
    refused.is_problem(402, "insufficient_credits");
    assert_eq!((&refused.body["debt"], &refused.body["upgrade"]), (&json!(80), &json!("creator")));
    let advice = refused.body["advice"].as_str().unwrap();
    assert!(advice.contains("The account owes `debt`, which new credits pay first."), "{advice}");
}

#[tokio::test]
async fn what_does_not_fit_is_said_where_it_is() {
    let server = Server::start().await;
    for (grant, place) in [
        (json!({ "source": "allocation", "amount": 1, "subscription": "sub_1" }), "plan"),
        (json!({ "source": "allocation", "amount": 1, "plan": "pro" }), "subscription"),
        (json!({ "source": "bonus", "amount": 1, "subscription": "sub_1", "plan": "pro" }), "subscription"),
        (
            json!({ "source": "allocation", "amount": 1, "subscription": "sub_1", "plan": "pro" }),
            "expires_at",
        ),
        (
            json!({ "source": "top_up", "amount": 1, "cost": { "minor": -1, "currency": "usd" } }),
            "cost.minor",
        ),
    ] {
        let answer = server.post("/v1/accounts/ada/import", json!({ "grants": [grant] })).send().await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.text.contains(&format!("$.grants[0].{place}")), "{}", answer.text);
    }
    let many = vec![json!({ "source": "bonus", "amount": 1 }); 201];
    let answer = server.post("/v1/accounts/ada/import", json!({ "grants": many })).send().await;
    assert_eq!(answer.status, 422, "{}", answer.text);
}

/// The accounts that a customer stands for.
async fn linked(server: &Server, customer: &str) -> Vec<String> {
    sqlx::query_scalar("select account from ledger.stripe_links where customer = $1")
        .bind(customer)
        .fetch_all(&server.test.database.pool())
        .await
        .unwrap()
}

fn of_customer(customer: &str) -> Value {
    json!({ "as_of": "2026-06-01T00:00:00Z", "customer": customer, "grants": [] })
}

async fn import(server: &Server, account: &str, body: Value) -> Answer {
    server.post(&format!("/v1/accounts/{account}/import"), body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_stands_for_one_account_however_many_name_it_at_the_same_time() {
    let server = Server::start().await;
    for round in 0..10 {
        let customer = format!("cus_{round}");
        let accounts: Vec<String> = (0..6).map(|number| format!("by_route_{round}_{number}")).collect();
        let answers = accounts.iter().map(|account| import(&server, account, of_customer(&customer)));
        let answers = join_all(answers).await;
        let taken: Vec<&Answer> = answers.iter().filter(|answer| answer.status != 201).collect();
        assert_eq!(taken.len(), 5, "{round}");
        taken.iter().for_each(|answer| answer.is_problem(409, "customer_taken"));
        assert_eq!(linked(&server, &customer).await.len(), 1);
    }
    // In one batch, two of each.
    let items: Vec<Value> = (0..200)
        .map(|number| {
            let mut item = of_customer(&format!("cus_batch_{}", number / 2));
            item["account"] = json!(format!("in_batch_{number}"));
            item["command"] = json!("import");
            item
        })
        .collect();
    let batch = server.post("/v1/commands", json!(items)).send().await;
    for two in batch.body.as_array().unwrap().chunks(2) {
        let mut statuses = [two[0]["status"].as_u64().unwrap(), two[1]["status"].as_u64().unwrap()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{two:?}");
    }
    let several = "select count(*) from (select from ledger.stripe_links group by customer having count(*) > 1) as several";
    let several: i64 = sqlx::query_scalar(several).fetch_one(&server.test.database.pool()).await.unwrap();
    assert_eq!(several, 0);
    let begun: i64 = sqlx::query_scalar("select count(*) from ledger.stripe_links_begun")
        .fetch_one(&server.test.database.pool())
        .await
        .unwrap();
    assert_eq!(begun, 0, "what is over is not kept");
}

#[tokio::test]
async fn a_customer_of_an_import_that_is_refused_can_be_anothers() {
    let server = Server::start().await;
    let mut ended = of_customer("cus_1");
    ended["grants"] = json!([{ "source": "bonus", "amount": 1, "expires_at": "2026-01-01T00:00:00Z" }]);
    import(&server, "ada", ended).await.is_problem(422, "grant_has_ended");
    assert_eq!(import(&server, "bob", of_customer("cus_1")).await.status, 201);
    assert_eq!(linked(&server, "cus_1").await, ["bob"]);
}

/// Whoever imports may be cut off anywhere, and the outcome of a command may not be known.
#[tokio::test]
async fn a_customer_whose_import_was_cut_off_is_found_out() {
    let server = Server::start().await;
    let begin = async |customer: &str, account: &str, seconds_ago: f64| {
        let pool = server.test.database.pool();
        sqlx::query("delete from ledger.stripe_links where customer = $1")
            .bind(customer)
            .execute(&pool)
            .await
            .unwrap();
        sqlx::query(
            "insert into ledger.stripe_links_begun (customer, account, commands, since)
             values ($1, $2, 1, now() - make_interval(secs => $3))",
        )
        .bind(customer)
        .bind(account)
        .bind(seconds_ago)
        .execute(&pool)
        .await
        .unwrap();
    };
    // Of what has just begun nobody knows yet what comes of it; the same import goes on.
    begin("cus_new", "ada", 1.0).await;
    import(&server, "bob", of_customer("cus_new")).await.is_problem(409, "customer_taken");
    assert_eq!(import(&server, "ada", of_customer("cus_new")).await.status, 201);
    assert_eq!(linked(&server, "cus_new").await, ["ada"]);
    // What never came to anything is over after a minute.
    begin("cus_old", "cleo", 61.0).await;
    assert_eq!(import(&server, "dan", of_customer("cus_old")).await.status, 201);
    assert_eq!(linked(&server, "cus_old").await, ["dan"]);
    // What the ledger has recorded is linked, also where it was cut off before that.
    assert_eq!(import(&server, "eve", of_customer("cus_landed")).await.status, 201);
    begin("cus_landed", "eve", 61.0).await;
    import(&server, "fay", of_customer("cus_landed")).await.is_problem(409, "customer_taken");
    assert_eq!(linked(&server, "cus_landed").await, ["eve"]);
    let fay = AccountId::parse("fay").unwrap();
    assert!(server.test.ledger.view(&fay).await.unwrap().account.opened().is_none());
    // Another import of the account, which is refused, does not give up what was begun.
    assert_eq!(import(&server, "gus", of_customer("cus_kept")).await.status, 201);
    begin("cus_kept", "gus", 1.0).await;
    let mut other = of_customer("cus_kept");
    other["debt"] = json!(1);
    import(&server, "gus", other).await.is_problem(409, "account_already_open");
    import(&server, "hal", of_customer("cus_kept")).await.is_problem(409, "customer_taken");
}

#[tokio::test]
async fn grants_without_an_id_get_one_that_none_has() {
    let server = Server::start().await;
    let grant = |id: Option<&str>| match id {
        Some(id) => json!({ "source": "bonus", "amount": 1, "grant_id": id }),
        None => json!({ "source": "bonus", "amount": 1 }),
    };
    let grants = [grant(Some("moved_2")), grant(None), grant(None), grant(Some("moved_4"))];
    let answer = import(&server, "ada", json!({ "grants": grants })).await;
    assert_eq!((answer.status.as_u16(), &answer.body["balance"]["available"]), (201, &json!(4)));
    let twice = [grant(Some("one")), grant(None), grant(Some("one"))];
    let answer = import(&server, "bob", json!({ "grants": twice })).await;
    answer.is_problem(422, "invalid_request");
    assert!(
        answer.text.contains("$.grants[2].grant_id: `one` is the id of another grant"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn what_a_grant_cost_is_whole_minor_units_of_a_currency_that_there_is() {
    let server = Server::start().await;
    for (cost, said) in [
        (
            json!({ "minor": 3.0, "currency": "usd" }),
            "a whole number of minor units, such as 300 for 3.00 usd",
        ),
        (json!({ "minor": "3.00", "currency": "usd" }), "a whole number of minor units"),
        (json!({ "minor": 300, "currency": "usx" }), "unknown currency `usx`; did you mean `usd`?"),
        (json!({ "minor": 300, "currency": "qqq" }), "unknown currency `qqq`"),
    ] {
        let grant = json!({ "source": "top_up", "amount": 1, "cost": cost });
        let answer = import(&server, "ada", json!({ "grants": [grant] })).await;
        answer.is_problem(422, "invalid_request");
        assert!(answer.text.contains(said), "{}", answer.text);
    }
    // What was paid elsewhere was paid in whatever currency.
    let grant = json!({ "source": "top_up", "amount": 1, "cost": { "minor": 300, "currency": "sek" } });
    assert_eq!(import(&server, "ada", json!({ "grants": [grant] })).await.status, 201);
}
