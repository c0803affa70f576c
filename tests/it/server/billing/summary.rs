//! Does one call say what the figures behind it say, and what a customer is worth?

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::shop::Shop;

const DAYS: &str = "from=2026-12-01&to=2027-01-31";
const BEFORE: &str = "from=2026-09-30&to=2026-11-30";
/// The whole months before the last day.
const MONTHS: &str = "from=2026-08-01&to=2027-01-31&interval=month";

/// What a route says of all of the days, in dollars.
async fn asked(shop: &Shop, path: &str) -> Value {
    let position = shop.server.everything().await;
    let answer = shop.server.get(&format!("{path}&currency=usd&min_position={position}")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

async fn agrees(shop: &Shop, summary: &Value, days: &str) {
    let mrr = asked(shop, &format!("/v1/analytics/mrr?{days}&interval=year")).await;
    let (series, retention) = (mrr["series"].as_array().unwrap(), &mrr["retention"][0]);
    let last = series.last().unwrap();
    for name in ["mrr", "arr", "paying_accounts", "arpu"] {
        assert_eq!(summary[name], last[name], "{name}: {summary}");
    }
    for kind in ["new", "reactivation", "expansion", "contraction", "churn"] {
        for part in ["amount", "count"] {
            let sum: i64 = series.iter().map(|figures| figures[kind][part].as_i64().unwrap()).sum();
            assert_eq!(summary[kind][part], json!(sum), "{kind}: {summary}");
        }
    }
    for name in ["net_revenue_retention", "gross_revenue_retention", "logo_churn"] {
        assert_eq!(summary[name], retention[name], "{name}: {summary}");
    }
    let deferred = asked(shop, &format!("/v1/analytics/deferred-revenue?{days}&interval=year")).await;
    let closing = deferred["series"].as_array().unwrap().last().map(|figures| &figures["closing"]["amount"]);
    assert_eq!(summary["deferred_revenue"], *closing.unwrap_or(&json!(0)), "{summary}");
}

#[tokio::test]
async fn a_summary_says_what_the_figures_behind_it_say() {
    let shop = Shop::subscribed().await;
    shop.subscribe_other("other").await;
    shop.subscribe_other("third").await;
    shop.advance("20 days").await;
    let subscriptions = shop.list("/v1/subscriptions").await;
    let leaves = format!("/v1/subscriptions/{}", subscriptions[0]["id"].as_str().unwrap());
    shop.at_stripe(Method::DELETE, &leaves, &[]).await;
    shop.advance("60 days").await;
    shop.settled().await;
    let summary = asked(&shop, &format!("/v1/analytics/summary?{DAYS}")).await;
    assert_eq!(summary["before"], json!({ "from": "2026-09-30", "to": "2026-11-30" }), "{summary}");
    let [of_dollars] = summary["currencies"].as_array().unwrap().as_slice() else { panic!("{summary}") };
    assert_eq!(of_dollars["now"]["paying_accounts"], 2, "{summary}");
    assert_eq!(of_dollars["before"]["paying_accounts"], 3, "{summary}");
    agrees(&shop, &of_dollars["now"], DAYS).await;
    agrees(&shop, &of_dollars["before"], BEFORE).await;

    // One of the three that paid at the start of December left in it; none of the two of January did.
    let months = asked(&shop, &format!("/v1/analytics/mrr?{MONTHS}")).await;
    let (mut churned, mut at_starts, mut paying) = (0, 0, 0);
    for month in months["series"].as_array().unwrap() {
        churned += month["churn"]["count"].as_i64().unwrap();
        at_starts += paying;
        paying = month["paying_accounts"].as_i64().unwrap();
    }
    assert_eq!((churned, at_starts), (1, 5), "{months}");
    // 19.99 a month from each, and a fifth of them leaves in a month.
    assert_eq!(of_dollars["clv"], "9995.00", "{summary}");
    for detail in ["mrr", "movements", "churn", "deferred_revenue"] {
        let address = of_dollars["details"][detail].as_str().unwrap();
        let answer = shop.server.get(address).send().await;
        assert_eq!(answer.status, 200, "{address}: {}", answer.text);
    }
    let other = shop.server.get(&format!("/v1/analytics/summary?{DAYS}&currency=eur")).send().await;
    assert_eq!(other.body["currencies"], json!([]), "{}", other.text);
}
