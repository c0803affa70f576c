//! Does a plan that has left the catalog keep its terms for those who are on it?

use counterfoil::app::catalogs::{CatalogTerms, OnOldPlan};
use reqwest::Method;
use serde_json::json;

use super::running::Business;
use crate::support::catalogs::{MUSIC, without};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_left_the_catalog_keeps_limits_features_discount_and_credits() {
    let mut business = Business::open().await;
    business.set_up(MUSIC).await;
    business.serve(MUSIC).await;
    business.buy("ada", &json!({ "plan": "creator", "interval": "month" })).await;
    assert_eq!(business.available("ada").await, 1_550);
    let limits = business.read("/v1/accounts/ada/limits").await["limits"].take();
    let entitlements = business.read("/v1/accounts/ada/entitlements").await;

    // Whoever takes the plan out of the file takes its settings out, too.
    let fewer = without(MUSIC, &["[plans.creator]", "[plans.creator."]);
    business.settings.retain(|name, _| !name.contains("CREATOR"));
    business.serve(&fewer).await;

    assert_eq!(business.read("/v1/accounts/ada/limits").await["limits"], limits);
    assert_eq!(limits[0]["max"], 150);
    let now = business.read("/v1/accounts/ada/entitlements").await;
    assert_eq!((&now["plan"], &now["features"]), (&"creator".into(), &entitlements["features"]));
    // 15 + 5 for four stems, less 5 %.
    let stems = json!({ "type": "stem_separation", "options": { "stems": "four" } });
    let (status, answer) = business.ask(Method::POST, "/v1/accounts/ada/generations", &stems).await;
    assert_eq!((status, &answer["amount"]), (201, &json!(19)), "{answer:#}");
    // The renewal gives its credits, and lets the rest of the old ones roll over: at most 3,000 together, and the 50.
    business.renew().await;
    assert_eq!(business.available("ada").await, 1_531 + 1_500);
    assert_eq!(business.read("/v1/accounts/ada/subscription").await["plan"], "creator");
    let limits = business.read("/v1/accounts/ada/limits").await["limits"].take();
    assert_eq!((&limits[0]["max"], &limits[0]["used"]), (&json!(150), &json!(0)));

    let on_creator = OnOldPlan { plan: "creator".to_owned(), accounts: 1, terms: CatalogTerms::LastCatalog };
    assert_eq!(business.on_old_plans(&fewer).await, [on_creator]);
    let said = business.check(&fewer).await;
    let line = "accounts on plan `creator`, which is not in this file: the terms of the last catalog that had it hold: 1\n";
    assert!(said.contains(line), "{said}");
    let said = business.check(MUSIC).await;
    assert!(said.contains("every account is on a plan that is sold\n"), "{said}");
    // The start says it too.
    let said = business.start_and_hear(&fewer).await;
    let warned =
        said.lines().find(|line| line.contains("accounts are on a plan that the catalog does not have"));
    let warned = warned.unwrap_or_else(|| panic!("{said}"));
    assert!(warned.contains("creator") && warned.contains("\"accounts\":1"), "{warned}");
    business.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_left_the_catalog_is_neither_shown_nor_sold_nor_recommended() {
    let mut business = Business::open().await;
    business.set_up(MUSIC).await;
    business.serve(MUSIC).await;
    let fewer = without(MUSIC, &["[plans.creator]", "[plans.creator.", "[packs.pack_2000]"]);
    business.serve(&fewer).await;
    business.ask(Method::PUT, "/v1/accounts/ada", &json!({})).await;

    for path in ["/v1/catalog", "/v1/products"] {
        let shown = business.read(path).await.to_string();
        assert!(!shown.contains("creator") && !shown.contains("pack_2000"), "{path}: {shown}");
    }
    for wish in
        [json!({ "plan": "creator", "interval": "month" }), json!({ "pack": "pack_2000", "quantity": 1 })]
    {
        let mut wish = wish;
        wish["success_url"] = "https://shop.example/thanks".into();
        wish["cancel_url"] = "https://shop.example/pricing".into();
        let (status, answer) = business.ask(Method::POST, "/v1/accounts/ada/checkout-sessions", &wish).await;
        assert!((400..500).contains(&status), "{answer:#}");
        let code = answer["code"].as_str().expect("a code");
        assert!(code.starts_with("unknown_"), "{code}");
    }
    // Of the plans with this feature, the smallest was Creator.
    let stems = json!({ "type": "stem_separation" });
    let (status, answer) = business.ask(Method::POST, "/v1/accounts/ada/generations", &stems).await;
    assert_eq!((status, &answer["plans"]), (403, &json!(["team"])), "{answer:#}");
    business.close().await;
}

/// A session that was opened before is paid after: what was sold is given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_that_left_the_catalog_while_it_was_paid_for_is_granted() {
    let mut business = Business::open().await;
    business.set_up(MUSIC).await;
    business.serve(MUSIC).await;
    business.ask(Method::PUT, "/v1/accounts/ada", &json!({})).await;
    let wish = json!({
        "pack": "pack_2000", "quantity": 2,
        "success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/pricing",
    });
    let (status, session) = business.ask(Method::POST, "/v1/accounts/ada/checkout-sessions", &wish).await;
    assert_eq!(status, 201, "{session:#}");
    business.serve(&without(MUSIC, &["[packs.pack_2000]"])).await;
    let session = session["checkout_session_id"].as_str().expect("an id");
    business.control(&format!("checkout/{session}/pay"), &json!({ "card": "4242424242424242" })).await;
    business.settled().await;
    assert_eq!(business.available("ada").await, 4_050);
    business.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_catalogs_the_last_one_that_had_the_plan_holds() {
    let mut business = Business::open().await;
    business.set_up(MUSIC).await;
    let fewer = without(MUSIC, &["[plans.basic]", "[plans.basic."]);
    let larger = MUSIC.replace("max = 50 }]", "max = 60 }]");
    business.serve(&larger).await;
    business.buy("ada", &json!({ "plan": "basic", "interval": "month" })).await;
    // The first catalog comes back before the plan is taken out, so that its terms are the last ones.
    for catalog in [MUSIC, &larger, MUSIC, &fewer] {
        business.serve(catalog).await;
    }
    let limits = business.read("/v1/accounts/ada/limits").await;
    assert_eq!((&limits["plan"], &limits["limits"][0]["max"]), (&json!("basic"), &json!(50)));
    business.close().await;
}
