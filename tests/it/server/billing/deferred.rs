//! Does deferred revenue close to the cent, and lead to the lots and the paid times behind it?

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::shop::{ACME, Shop, pack};

const FIGURES: &str = "/v1/analytics/deferred-revenue";

fn amount(of: &Value) -> i64 {
    of["amount"].as_i64().unwrap_or_else(|| panic!("an amount of {of}"))
}

/// What a flow adds to what is deferred.
fn added(flow: &Value) -> i64 {
    if flow["type"] == "sold" { amount(flow) } else { -amount(flow) }
}

/// A year's plan and a pack, of which a part was spent, and half of whose money was returned.
async fn sold() -> Shop {
    let shop = Shop::subscribed().await;
    shop.server.open("idle").await;
    let opened = shop.checkout("packs", &pack()).await;
    shop.pay(&opened.body).await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 1_550 + 1_000).await;
    // What is free and what ends is spent first: 250 credits are the pack's.
    let spent = shop.server.post(&format!("{ACME}/deductions"), json!({ "amount": 1_800 })).send().await;
    assert_eq!(spent.status, 201, "{}", spent.text);
    let charges = shop.list("/v1/charges").await;
    let charge = charges.iter().find(|charge| charge["amount"] == 1_200).expect("the pack's");
    let form = [("charge", charge["id"].as_str().unwrap()), ("amount", "600")];
    shop.at_stripe(Method::POST, "/v1/refunds", &form).await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 250).await;
    shop
}

/// The accounts of a figure, one a page, and what they sum to.
async fn rows(shop: &Shop, link: &str) -> (Vec<Value>, i64) {
    let (mut rows, mut next) = (Vec::new(), Some(format!("{link}&limit=1")));
    while let Some(path) = next.take() {
        let page = shop.server.get(&path).send().await;
        rows.extend(page.body["rows"].as_array().unwrap_or_else(|| panic!("{path}: {}", page.text)).clone());
        next = page.body["next_cursor"].as_str().map(|cursor| format!("{link}&limit=1&cursor={cursor}"));
    }
    let sum = rows.iter().map(amount).sum();
    (rows, sum)
}

#[tokio::test]
async fn deferred_revenue_closes_and_leads_to_lots_and_paid_periods() {
    let shop = sold().await;
    shop.settled().await;
    let position = shop.server.everything().await;
    for query in ["interval=month", "interval=day", "interval=year&source=credits", "currency=usd"] {
        let path = format!("{FIGURES}?from=2026-10-01&to=2027-01-31&{query}&min_position={position}");
        let answer = shop.server.get(&path).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let mut before = 0;
        for figures in answer.body["series"].as_array().unwrap() {
            assert_eq!(amount(&figures["opening"]), before);
            for flow in figures["flows"].as_array().unwrap() {
                before += added(flow);
                assert_eq!(rows(&shop, flow["rows"].as_str().unwrap()).await.1, amount(flow), "{flow}");
            }
            assert_eq!(amount(&figures["closing"]), before);
            let link = figures["closing"]["rows"].as_str().unwrap();
            assert_eq!(rows(&shop, link).await.1, before, "{link}");
        }
    }
    // A month later all of the subscription is earned, and of the pack what is left of it is not.
    let path = format!("{FIGURES}?from=2026-10-01&to=2027-01-31&interval=year&currency=usd");
    let answer = shop.server.get(&path).send().await;
    let series = answer.body["series"].as_array().unwrap();
    assert_eq!(amount(&series.last().unwrap()["closing"]), 300, "{}", answer.text);
    let of = |source: &str, kind: &str| -> i64 {
        let flows = series.iter().flat_map(|figures| figures["flows"].as_array().unwrap());
        flows.filter(|flow| flow["source"] == source && flow["type"] == kind).map(amount).sum()
    };
    assert_eq!((of("credits", "sold"), of("credits", "recognised")), (1_200, 300));
    assert_eq!((of("credits", "refunded"), of("credits", "breakage")), (600, 0));
    assert_eq!((of("subscriptions", "sold"), of("subscriptions", "recognised")), (1_999, 1_999));

    let (accounts, _) = rows(&shop, series.last().unwrap()["closing"]["rows"].as_str().unwrap()).await;
    let [row] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(row["account"], "acme");
    let lots = shop.server.get(row["lots"].as_str().unwrap()).send().await;
    let [lot] = lots.body["lots"].as_array().unwrap().as_slice() else { panic!("{}", lots.text) };
    let shown = |name: &str| lot[name].as_i64().unwrap();
    assert_eq!((shown("cost"), shown("amount"), shown("deferred")), (1_200, 1_000, 300), "{lot}");
    assert_eq!((shown("spent"), shown("refunded"), shown("left")), (250, 500, 250), "{lot}");
    let periods = shop.server.get(row["periods"].as_str().unwrap()).send().await;
    let [period] = periods.body["periods"].as_array().unwrap().as_slice() else { panic!("{}", periods.text) };
    assert_eq!((&period["amount"], &period["since"]), (&json!(1_999), &period["start"]), "{period}");
    let none = shop.server.get("/v1/accounts/idle/lots").send().await;
    assert_eq!((&none.body["lots"], &none.body["next_cursor"]), (&json!([]), &Value::Null), "{}", none.text);
    for what in ["lots", "paid-periods"] {
        let nobody = shop.server.get(&format!("/v1/accounts/nobody/{what}")).send().await;
        nobody.is_problem(404, "account_not_found");
    }
}

#[tokio::test]
async fn deferred_revenue_as_csv_has_a_line_for_each_flow() {
    let shop = sold().await;
    shop.settled().await;
    let position = shop.server.everything().await;
    let path = format!(
        "{FIGURES}?from=2026-01-01&to=2027-12-31&interval=year&source=credits&min_position={position}"
    );
    let csv = shop.server.get(&path).header("accept", "text/csv").send().await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.first(), Some(&"currency,start,source,type,amount"));
    let of_year = |rest: &str| lines.iter().any(|line| line.starts_with("usd,") && line.ends_with(rest));
    for line in [",,opening,0", ",credits,sold,1200", ",credits,recognised,300", ",,closing,300"] {
        assert!(of_year(line), "{line} in {}", csv.text);
    }
}

#[tokio::test]
async fn what_deferred_revenue_does_not_know_is_refused() {
    let shop = Shop::start().await;
    for (query, path) in
        [("source=luck", "source"), ("currency=dollars", "currency"), ("interval=hour", "interval")]
    {
        let answer =
            shop.server.get(&format!("{FIGURES}?from=2026-10-01&to=2026-12-31&{query}")).send().await;
        answer.is_problem(400, "invalid_parameter");
        assert_eq!(answer.body["path"], path, "{}", answer.text);
    }
    for (query, path) in [("type=luck", "type"), ("cursor=a%20b", "cursor")] {
        let asked = format!("{FIGURES}/rows?to=2026-12-31&currency=usd&{query}");
        let answer = shop.server.get(&asked).send().await;
        answer.is_problem(400, "invalid_parameter");
        assert_eq!(answer.body["path"], path, "{}", answer.text);
    }
    let answer = shop.server.get(&format!("{FIGURES}/rows?to=2026-12-31")).send().await;
    answer.is_problem(400, "invalid_parameter");
}
