//! Is what people have made at Stripe before taken up, and not made a second time?

use crate::support::stripe_account::Account;

const BASIC: &str = "STRIPE_PRICE_BASIC";

async fn with_a_price_made_by_hand() -> (Account, String, String) {
    let mut account = Account::empty().await;
    let form = [
        ("name", "Our smallest plan"),
        ("default_price_data[unit_amount]", "999"),
        ("default_price_data[currency]", "usd"),
        ("default_price_data[recurring][interval]", "month"),
    ];
    let product = account.post("products", &form).await;
    let [price, product] = ["default_price", "id"].map(|name| product[name].as_str().unwrap().to_owned());
    account.settings.insert(BASIC.to_owned(), price.clone());
    (account, product, price)
}

#[tokio::test]
async fn a_price_that_is_set_and_fits_is_taken_up_with_its_product() {
    let (mut account, product, price) = with_a_price_made_by_hand().await;
    account.set_up_and_set().await;
    assert_eq!(account.settings[BASIC], price);
    assert_eq!(account.price(&price).await["lookup_key"], "music_plan_basic_month");
    // The annual price joins it, and the product keeps its name.
    assert_eq!(account.price(account.sale_id("STRIPE_PRICE_BASIC_ANNUAL")).await["product"], product);
    let products = account.list("products").await;
    let kept = products.iter().find(|kept| kept["id"] == product).unwrap();
    assert_eq!((&kept["name"], products.len()), (&"Our smallest plan".into(), 6));
}

#[tokio::test]
async fn a_price_that_its_product_has_by_default_makes_room_for_the_next() {
    let (mut account, product, price) = with_a_price_made_by_hand().await;
    account.set_up_and_set().await;
    account.text = account.text.replace("amount = \"9.99\"", "amount = \"11.99\"");
    account.set_up_and_set().await;
    assert_eq!(account.price(&price).await["active"], false);
    let products = account.list("products").await;
    let kept = products.iter().find(|kept| kept["id"] == product).unwrap();
    assert_eq!(kept["default_price"], account.sale_id(BASIC));
}

#[tokio::test]
async fn a_price_that_is_set_and_does_not_fit_is_left_alone_and_still_stands_for_the_plan() {
    let (mut account, _, price) = with_a_price_made_by_hand().await;
    account.text = account.text.replace("amount = \"9.99\"", "amount = \"11.99\"");
    account.set_up_and_set().await;
    assert_ne!(account.sale_id(BASIC), price);
    assert!(account.settings[BASIC].ends_with(&price), "{}", account.settings[BASIC]);
    assert_eq!(account.price(&price).await["active"], true);
}
