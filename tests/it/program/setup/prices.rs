//! What happens to a price whose amount changes, and to those who pay the old one?

use crate::support::stripe_account::Account;

const BASIC: &str = "STRIPE_PRICE_BASIC";

fn dearer(account: &mut Account) {
    account.text = account.text.replace("amount = \"9.99\"", "amount = \"11.99\"");
}

#[tokio::test]
async fn another_amount_is_another_price_and_the_old_one_still_stands_for_the_plan() {
    let mut account = Account::healthy().await;
    let old = account.settings[BASIC].clone();
    dearer(&mut account);
    let archived =
        account.plan().await.steps.into_iter().find(|step| step.id.as_ref() == Some(&old)).unwrap();
    assert!(archived.because.contains("subscriptions that have it keep it"), "{}", archived.because);
    let report = account.set_up_and_set().await;

    let new = account.sale_id(BASIC).to_owned();
    assert_eq!(report.settings[BASIC], format!("{new},{old}"));
    let (new_price, old_price) = (account.price(&new).await, account.price(&old).await);
    assert_eq!(
        (&new_price["unit_amount"], &new_price["lookup_key"]),
        (&1199.into(), &"music_plan_basic_month".into())
    );
    assert_eq!((&old_price["active"], old_price["lookup_key"].is_null()), (&false.into(), true));
    let catalog = account.catalog();
    for id in [&old, &new] {
        assert_eq!(catalog.plan_by_price_id(id).unwrap().0.id.as_str(), "basic");
    }
    // The line stays the same for somebody who has not set it.
    account.settings.clear();
    assert_eq!(account.set_up().await.settings, report.settings);
}

#[tokio::test]
async fn the_amount_that_was_before_is_the_price_that_was_before() {
    let mut account = Account::healthy().await;
    let (text, old) = (account.text.clone(), account.settings[BASIC].clone());
    dearer(&mut account);
    account.set_up_and_set().await;
    account.text = text;
    account.set_up_and_set().await;
    assert_eq!(account.sale_id(BASIC), old);
    assert_eq!(account.price(&old).await["active"], true);
    assert_eq!(account.objects().await[1], 10);
    assert!(account.plan().await.is_done());
}

#[tokio::test]
async fn a_plan_with_another_name_is_the_same_product() {
    let mut account = Account::healthy().await;
    account.text = account.text.replace("name = \"Creator\"", "name = \"Studio\"");
    account.set_up().await;
    let names: Vec<_> =
        account.list("products").await.iter().map(|product| product["name"].clone()).collect();
    assert!(names.contains(&"Studio".into()) && names.len() == 6, "{names:?}");
}
