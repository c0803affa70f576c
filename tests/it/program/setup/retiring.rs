//! What happens at Stripe to what is not sold any more?

use counterfoil::stripe::provisioning::{
    doctor::{Code, Level},
    setup::{Action, SetupObject},
};

use crate::support::stripe_account::{Account, wrong};

const TEAM: &str = "STRIPE_PRICE_TEAM";

fn retire_team(account: &mut Account) {
    account.text = account.text.replace("name = \"Team\"\n", "name = \"Team\"\nretired = true\n");
}

#[tokio::test]
async fn a_retired_plan_is_taken_off_sale_and_its_settings_stay() {
    let mut account = Account::healthy().await;
    let old = account.settings.clone();
    retire_team(&mut account);
    assert_eq!(
        wrong(&account.examine().await),
        [(Code::Retired, Level::Warning), (Code::PortalOffer, Level::Error)]
    );

    let plan = account.plan().await;
    let archived: Vec<_> = plan.steps.iter().filter(|step| step.action == Action::Archive).collect();
    let objects: Vec<_> = archived.iter().map(|step| step.object).collect();
    assert_eq!(objects, [SetupObject::Price, SetupObject::Price, SetupObject::Product], "{archived:#?}");
    let report = account.set_up_and_set().await;
    assert_eq!((&report.settings[TEAM], account.settings.len()), (&old[TEAM], old.len()));
    assert_eq!(account.price(&old[TEAM]).await["active"], false);
    assert_eq!(wrong(&account.examine().await), []);
    assert!(account.plan().await.is_done());

    // And back again.
    account.text = account.text.replace("retired = true\n", "");
    account.set_up_and_set().await;
    assert_eq!(
        (account.sale_id(TEAM), account.price(&old[TEAM]).await["active"].as_bool()),
        (old[TEAM].as_str(), Some(true))
    );
    assert_eq!(wrong(&account.examine().await), []);
}

#[tokio::test]
async fn what_was_never_set_up_is_not_made_to_be_retired() {
    let mut account = Account::empty().await;
    retire_team(&mut account);
    account.set_up_and_set().await;
    assert_eq!(account.objects().await, [5, 7, 1, 1]);
    assert!(!account.settings.contains_key(TEAM));
    assert_eq!(wrong(&account.examine().await), []);
}

/// The price is its product's own choice, and Stripe archives none of those.
#[tokio::test]
async fn a_retired_plan_whose_price_is_its_products_own_choice_is_taken_off_sale_with_the_product() {
    let mut account = Account::empty().await;
    let form = [
        ("name", "Our team plan"),
        ("default_price_data[unit_amount]", "2999"),
        ("default_price_data[currency]", "usd"),
        ("default_price_data[recurring][interval]", "month"),
    ];
    let product = account.post("products", &form).await;
    account.settings.insert(TEAM.to_owned(), product["default_price"].as_str().unwrap().to_owned());
    account.set_up_and_set().await;
    retire_team(&mut account);
    account.set_up_and_set().await;
    let products = account.list("products").await;
    let kept = products.iter().find(|kept| kept["id"] == product["id"]).unwrap();
    assert_eq!(kept["active"], false);
    assert_eq!(wrong(&account.examine().await), []);
}

#[tokio::test]
async fn an_earlier_amount_has_its_id_where_the_catalog_has_a_place_for_it() {
    const BASIC: &str = "STRIPE_PRICE_BASIC";
    let mut account = Account::healthy().await;
    let old = account.settings[BASIC].clone();
    let earlier = "earlier = [{ amount = \"9.99\", stripe = { setting = \"BASIC_999\", optional = true } }]";
    account.text = account.text.replace("amount = \"9.99\"\n", &format!("amount = \"11.99\"\n{earlier}\n"));
    let report = account.set_up_and_set().await;
    assert_eq!(report.settings["BASIC_999"], old);
    assert_ne!(account.sale_id(BASIC), old);
    assert!(!account.settings[BASIC].contains(','), "{}", account.settings[BASIC]);
    assert!(account.plan().await.is_done());
    assert_eq!(wrong(&account.examine().await), []);

    // On sale again at Stripe, by somebody's hand; and then under an amount that it does not cost.
    account.post(&format!("prices/{old}"), &[("active", "true")]).await;
    assert_eq!(wrong(&account.examine().await), [(Code::Retired, Level::Warning)]);
    account.set_up_and_set().await;
    account.text = account.text.replace("amount = \"9.99\", ", "amount = \"8.99\", ");
    assert_eq!(wrong(&account.examine().await), [(Code::PriceTerms, Level::Error)]);
}
