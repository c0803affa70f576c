//! Does a setup make everything, and a second one nothing?

use std::collections::BTreeSet;

use counterfoil::{
    catalog::{self, Mode},
    stripe::provisioning::{
        doctor::{Code, Level},
        setup::{Action, types},
    },
};

use serde_json::json;

use crate::support::stripe_account::{Account, MUSIC_OBJECTS, URL, wrong};

#[tokio::test]
async fn a_setup_makes_all_that_the_catalog_sells_and_a_second_one_nothing() {
    let mut account = Account::empty().await;
    let first = account.plan().await;
    assert!(first.steps.iter().all(|step| step.action == Action::Create), "{:#?}", first.steps);
    let report = account.set_up().await;
    assert!(report.webhook_secret.as_ref().unwrap().starts_with("whsec_"));
    assert_eq!(account.objects().await, MUSIC_OBJECTS);

    // Once as somebody who has lost what was printed, and once as somebody who has set it.
    for settings in [account.settings.clone(), report.settings.clone()] {
        account.settings = settings;
        assert!(account.plan().await.is_done(), "{:#?}", account.plan().await.steps);
        let again = account.set_up().await;
        assert_eq!((again.settings, again.webhook_secret), (report.settings.clone(), None));
    }
    assert_eq!(account.objects().await, MUSIC_OBJECTS);
}

#[tokio::test]
async fn what_is_printed_is_what_the_catalog_asks_for() {
    let text = include_str!("../../../../catalogs/promptforge.toml");
    let mut account = Account::with(text).await;
    account.set_up_and_set().await;
    let settings = |name: &str| account.settings.get(name).cloned();
    let catalog = catalog::parse(text, &settings, Mode::Test).expect("no setting is missing");
    for plan in &catalog.plans {
        for price in &plan.prices {
            let kept = account.price(price.stripe.sale_id().unwrap()).await;
            assert_eq!(kept["unit_amount"], price.amount.minor);
            assert_eq!(kept["recurring"]["interval"], price.interval.as_str());
        }
    }
}

#[tokio::test]
async fn ids_that_stand_in_the_file_are_said_by_their_keys() {
    let account = Account::with(include_str!("../../../../catalogs/guide.toml")).await;
    let report = account.set_up().await;
    let key = "plans.premium_plan.prices.month.stripe.test.price";
    let id = report.in_catalog[key].trim_matches('"');
    let price = account.price(id).await;
    // The product has the id that the file gives it.
    assert_eq!((&price["unit_amount"], &price["product"]), (&4900.into(), &"prod_test_premium".into()));
    let text = account.text.replace("price_test_premium_month", id);
    assert!(text.contains(id));
    let corrected = Account { text, ..account };
    assert!(!corrected.set_up().await.in_catalog.contains_key(key));
}

#[tokio::test]
async fn the_endpoint_is_pinned_and_asks_for_exactly_what_is_read() {
    let account = Account::healthy().await;
    let endpoint = account.list("webhook_endpoints").await.remove(0);
    assert_eq!(endpoint["url"], URL);
    assert_eq!(endpoint["api_version"], counterfoil::stripe::client::setup::API_VERSION);
    let asked: BTreeSet<&str> =
        endpoint["enabled_events"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
    assert_eq!(asked, types().into_iter().collect());
    assert_eq!(endpoint["secret"], serde_json::Value::Null);
}

#[tokio::test]
async fn the_portal_offers_exactly_the_plans_with_what_the_catalog_says_of_changes_and_ends() {
    let mut account = Account::empty().await;
    account.text = account
        .text
        .replace("proration = \"create_prorations\"", "proration = \"none\"\ncancellation = \"immediately\"");
    account.set_up_and_set().await;
    let portal = account.list("billing_portal/configurations").await.remove(0);
    assert_eq!(portal["id"], account.settings["STRIPE_PORTAL_CONFIGURATION"]);
    let update = &portal["features"]["subscription_update"];
    assert_eq!(update["proration_behavior"], "none");
    assert_eq!(portal["features"]["subscription_cancel"]["mode"], "immediately");
    let offered: BTreeSet<String> = update["products"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|product| product["prices"].as_array().unwrap())
        .map(|price| price.as_str().unwrap().to_owned())
        .collect();
    let plans = ["BASIC", "CREATOR", "TEAM"].map(|plan| [plan.to_owned(), format!("{plan}_ANNUAL")]);
    let plans =
        plans.as_flattened().iter().map(|plan| account.settings[&format!("STRIPE_PRICE_{plan}")].clone());
    assert_eq!(offered, plans.collect());

    // What somebody changes by hand is set right.
    let path = format!("billing_portal/configurations/{}", portal["id"].as_str().unwrap());
    account
        .post(&path, &[("active", "false"), ("features[subscription_cancel][mode]", "at_period_end")])
        .await;
    account.set_up().await;
    let portal = account.list("billing_portal/configurations").await.remove(0);
    assert_eq!((&portal["active"], account.objects().await), (&true.into(), MUSIC_OBJECTS));
    assert_eq!(portal["features"]["subscription_cancel"]["mode"], "immediately");
}

#[tokio::test]
async fn the_portal_lets_what_is_less_wait_for_the_period_and_ends_no_trial() {
    let mut account = Account::healthy().await;
    let update = async |account: &Account| {
        let portal = account.list("billing_portal/configurations").await.remove(0);
        portal["features"]["subscription_update"].clone()
    };
    let at_first = update(&account).await;
    let conditions = &at_first["schedule_at_period_end"]["conditions"];
    assert_eq!(*conditions, json!([{ "type": "decreasing_item_amount" }, { "type": "shortening_interval" }]));
    // What is more is paid for at once there too, whatever becomes of the rest of what is less.
    assert_eq!(
        (&at_first["trial_update_behavior"], &at_first["proration_behavior"]),
        (&json!("continue_trial"), &json!("always_invoice"))
    );

    account.text = account.text.replace("downgrade = \"at_period_end\"", "downgrade = \"at_once\"");
    assert!(!account.plan().await.is_done());
    account.set_up_and_set().await;
    assert_eq!(update(&account).await["schedule_at_period_end"]["conditions"], json!([]));

    // Somebody sets one of the two by hand, which is nothing that a catalog says.
    let path = format!("billing_portal/configurations/{}", account.settings["STRIPE_PORTAL_CONFIGURATION"]);
    let condition = "features[subscription_update][schedule_at_period_end][conditions][0][type]";
    account.post(&path, &[(condition, "shortening_interval")]).await;
    assert!(!account.plan().await.is_done());
    account.set_up_and_set().await;
    assert!(account.plan().await.is_done());
    account.post(&path, &[("features[subscription_update][trial_update_behavior]", "end_trial")]).await;
    assert!(!account.plan().await.is_done());
}

#[tokio::test]
async fn a_free_amount_of_credits_has_a_product_where_the_catalog_has_a_place_for_it() {
    const TOP_UP: &str = "\n[top_up]\nprice_per_credit = \"0.0125\"\nsmallest = 100\nlargest = 50_000\n";
    let mut account = Account::healthy().await;
    account.text.push_str(TOP_UP);
    assert!(account.plan().await.is_done(), "a product is made for each sale");
    account.text.push_str("product = { setting = \"STRIPE_PRODUCT_CREDITS\" }\n");
    account.set_up_and_set().await;
    assert_eq!(account.settings["STRIPE_PRODUCT_CREDITS"], "prod_music_top_up");
    let products = account.list("products").await;
    let made = products.iter().find(|made| made["id"] == "prod_music_top_up").expect("it is made");
    assert_eq!(made["name"], "Credits");
    assert!(account.plan().await.is_done());
    assert_eq!(wrong(&account.examine().await), []);
    account.post("products/prod_music_top_up", &[("active", "false")]).await;
    assert_eq!(wrong(&account.examine().await), [(Code::ProductsActive, Level::Error)]);
}
