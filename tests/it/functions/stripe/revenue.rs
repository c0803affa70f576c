//! What does a subscription bring in each month?

use counterfoil::domain::command::{Command, SubscriptionCommand};
use serde_json::{Value, json};

use crate::support::documents::{SHAPES, translated_value, value};

/// The monthly revenue of a basic subscription, after a change of its document.
fn monthly(change: impl FnOnce(&mut Value)) -> i64 {
    let mut event = value(SHAPES[1], "customer.subscription.created.json");
    change(&mut event["data"]["object"]);
    let instructions = translated_value(&event).unwrap();
    let Command::Subscription(SubscriptionCommand::RecordSubscription(report)) =
        &instructions.steps.last().unwrap().command
    else {
        panic!()
    };
    report.terms.monthly.minor
}

fn every(count: i64, interval: &str, amount: i64) -> i64 {
    monthly(|subscription| {
        let price = &mut subscription["items"]["data"][0]["price"];
        price["recurring"]["interval"] = interval.into();
        price["recurring"]["interval_count"] = count.into();
        price["unit_amount"] = amount.into();
        price["unit_amount_decimal"] = amount.to_string().into();
    })
}

fn with_discount(discount: &Value) -> i64 {
    monthly(|subscription| subscription["discounts"] = json!([discount]))
}

#[test]
fn each_interval_is_brought_to_a_month() {
    assert_eq!(every(1, "month", 999), 999);
    assert_eq!(every(3, "month", 1000), 333);
    assert_eq!(every(1, "year", 9990), 832, "832.5 goes to the even neighbour");
    assert_eq!(every(1, "year", 9978), 832, "831.5 as well");
    assert_eq!(every(2, "year", 24_000), 1000);
    assert_eq!(every(1, "week", 300), 1300);
    assert_eq!(every(1, "day", 12), 365);
}

#[test]
fn quantity_and_add_ons_count_and_metered_usage_does_not() {
    assert_eq!(monthly(|subscription| subscription["items"]["data"][0]["quantity"] = 3.into()), 2997);
    let with_item = |usage: &str| {
        monthly(|subscription| {
            let mut item = subscription["items"]["data"][0].clone();
            item["price"]["id"] = "price_add_on".into();
            item["price"]["unit_amount_decimal"] = "0.5".into();
            item["price"]["recurring"]["usage_type"] = usage.into();
            item["quantity"] = 100.into();
            subscription["items"]["data"].as_array_mut().unwrap().push(item);
        })
    };
    assert_eq!(with_item("licensed"), 1049);
    assert_eq!(with_item("metered"), 999);
}

#[test]
fn only_what_lasts_is_taken_off() {
    let percent = |duration: &str| json!({"coupon": {"duration": duration, "percent_off": 33.33}});
    assert_eq!(with_discount(&percent("forever")), 666);
    assert_eq!(with_discount(&percent("once")), 999);
    assert_eq!(with_discount(&percent("repeating")), 999);
    assert_eq!(with_discount(&json!("di_only_an_id")), 999);
    let amount = |off: i64, currency: &str| json!({"source": {"coupon": {"duration": "forever", "amount_off": off, "currency": currency}}});
    assert_eq!(with_discount(&amount(99, "usd")), 900);
    assert_eq!(with_discount(&amount(5000, "usd")), 0);
    assert_eq!(with_discount(&amount(99, "eur")), 999);
}
