//! Discounts that are a customer's: they count from their own start, whatever becomes known first, and whoever the
//! customer turns out to be.

use counterfoil::{
    queue::Retries,
    stripe::inbound::{inbox::InboxState, processor::RETRIES},
};
use serde_json::{Value, json};

use super::{
    discounts::{Office, half, with},
    reports::{CREATOR, DAY, START, item, report, standing},
};

/// An event about the discount `di_1` of `cus_1`, by a coupon as it is told.
fn discount(day: i64, kind: &str, coupon: &Value) -> Value {
    let mut object = json!({
        "id": "di_1", "object": "discount", "customer": "cus_1", "subscription": null, "start": START + DAY, "end": null,
    });
    let (place, coupon) = match coupon.is_string() {
        true => ("source", json!({ "type": "coupon", "coupon": coupon })),
        false => ("coupon", coupon.clone()),
    };
    object[place] = coupon;
    json!({
        "id": format!("evt_discount_{kind}"), "object": "event", "created": START + day * DAY, "livemode": false,
        "type": format!("customer.discount.{kind}"), "data": { "object": object },
    })
}

/// An event about the customer itself, whose metadata names nobody.
fn customer(day: i64, discount: &Value, previous: &Value) -> Value {
    json!({
        "id": format!("evt_customer_{day}"), "object": "event", "created": START + day * DAY, "livemode": false,
        "type": "customer.updated", "data": {
            "object": { "id": "cus_1", "object": "customer", "discount": discount, "metadata": {} },
            "previous_attributes": previous,
        },
    })
}

/// What `acme` brings after these events, told in order, reversed, and each twice.
async fn brings(events: &[Value]) -> i64 {
    let reversed: Vec<Value> = events.iter().rev().cloned().collect();
    let doubled: Vec<Value> = events.iter().chain(&reversed).cloned().collect();
    let mut brought = Vec::new();
    for told in [events, &reversed, &doubled] {
        let office = Office::open([]).await;
        office.told(told).await;
        brought.push(office.revenue().await);
    }
    assert!(brought.iter().all(|one| *one == brought[0]), "{brought:?}");
    brought[0]
}

#[tokio::test]
async fn a_discount_of_the_customer_counts_from_its_start_unless_the_subscription_has_its_own() {
    let (begun, ended) = (discount(1, "created", &half()), discount(4, "deleted", &half()));
    let subscribed = with(0, &json!([]));
    assert_eq!(brings(&[subscribed.clone(), begun.clone()]).await, 1_000, "no report has to come");
    assert_eq!(brings(&[subscribed.clone(), begun.clone(), with(2, &json!([]))]).await, 1_000);
    let own = with(
        3,
        &json!([{ "id": "di_4", "coupon": { "id": "TENTH", "percent_off": 10, "duration": "forever" } }]),
    );
    assert_eq!(brings(&[subscribed.clone(), begun.clone(), own]).await, 1_799);
    assert_eq!(brings(&[subscribed, begun, ended]).await, 1_999);
}

/// Before 2025-03-31 the subscription also had the first of its discounts by itself. Its own one begins and ends, and
/// another begins: each says so, also where nothing else is known of what was between.
#[tokio::test]
async fn a_discount_of_its_own_that_passes_is_told_in_the_older_field_too() {
    let once = json!({ "id": "di_4", "coupon": { "id": "ONCE", "percent_off": 10, "duration": "once" } });
    let changed = |day: i64, now: &Value, before: &Value| {
        let (now, before) = (now.clone(), before.clone());
        let list = |discount: &Value| {
            Value::Array(Vec::from_iter((!discount.is_null()).then_some(discount.clone())))
        };
        let mut event = with(day, &list(&now));
        event["data"]["object"]["discount"] = now;
        event["data"]["previous_attributes"] = json!({ "discounts": list(&before) });
        event
    };
    let (none, subscribed) = (Value::Null, with(0, &json!([])));
    let (begun, ended) = (changed(2, &once, &none), changed(3, &none, &once));
    let again = changed(4, &once, &none);
    let customers = discount(1, "created", &half());
    let told = [&subscribed, &customers, &begun, &ended, &again];
    for order in [[0, 1, 2, 3, 4], [0, 1, 2, 4, 3], [4, 3, 2, 1, 0], [2, 4, 3, 0, 1]] {
        let office = Office::open([]).await;
        office.told(&order.map(|index| told[index].clone())).await;
        assert_eq!(office.revenue().await, 1_999, "{order:?}");
    }
}

#[tokio::test]
async fn a_discount_of_the_customer_that_passes_takes_nothing_off() {
    let once = json!({ "id": "ONCE", "object": "coupon", "percent_off": 50, "duration": "once" });
    assert_eq!(brings(&[with(0, &json!([])), discount(1, "created", &once)]).await, 1_999);
}

#[tokio::test]
async fn a_discount_of_one_subscription_or_invoice_is_none_of_its_customers() {
    for less in ["subscription", "subscription_item", "invoice", "invoice_item", "checkout_session"] {
        let mut event = discount(1, "created", &half());
        event["data"]["object"][less] = json!("it_1");
        let office = Office::open([]).await;
        let ids = office.told(&[with(0, &json!([])), event]).await;
        assert_eq!(
            (office.revenue().await, office.desk.state(&ids[1]).await),
            (1_999, InboxState::Ignored),
            "{less}"
        );
    }
}

/// The event that tells a discount may be lost: the customer shows it, too.
#[tokio::test]
async fn the_customer_itself_tells_its_discount_and_the_one_that_it_had() {
    let shown = discount(1, "created", &half())["data"]["object"].clone();
    let subscribed = with(0, &json!([]));
    assert_eq!(brings(&[subscribed.clone(), customer(2, &shown, &json!({}))]).await, 1_000);
    let gone = customer(3, &Value::Null, &json!({ "discount": shown }));
    assert_eq!(brings(&[subscribed.clone(), discount(1, "created", &half()), gone]).await, 1_999);
    let mut expanded = with(2, &json!([]));
    expanded["data"]["object"]["customer"] =
        json!({ "id": "cus_1", "object": "customer", "discount": shown });
    assert_eq!(brings(&[subscribed, expanded]).await, 1_000);
}

#[tokio::test]
async fn a_coupon_that_a_customers_discount_only_names_is_asked_for_and_waited_for() {
    let office = Office::open([("/v1/coupons/HALF", half())]).await;
    office.told(&[with(0, &json!([])), discount(1, "created", &json!("HALF"))]).await;
    assert_eq!((office.revenue().await, office.asked()), (1_000, vec!["/v1/coupons/HALF".to_owned()]));

    let office = Office::open([]).await;
    let ids = office.told(&[with(0, &json!([])), discount(1, "created", &json!("HALF"))]).await;
    assert_eq!((office.revenue().await, office.desk.state(&ids[1]).await), (1_999, InboxState::Waiting));
}

/// It was given up on before: it is as likely a discount of something that is not sold here.
#[tokio::test]
async fn a_discount_counts_when_its_customer_becomes_known_however_late() {
    let mut office = Office::open([]).await;
    let retries = Retries { attempts_max: 1, ..RETRIES };
    office.desk.processor = office.desk.processor.clone().retrying(retries);
    let id = office.told(&[discount(1, "created", &half())]).await.remove(0);
    assert_eq!(office.desk.state(&id).await, InboxState::Ignored);
    office.told(&[with(2, &json!([]))]).await;
    assert_eq!((office.revenue().await, office.desk.state(&id).await), (1_000, InboxState::Processed));
}

/// A customer's subscription that goes over to another account takes its discount along.
#[tokio::test]
async fn a_discount_is_told_to_each_account_that_its_customer_stands_for() {
    let begun = discount(1, "created", &half());
    let moved = report("updated", 2, &[item(CREATOR, 1_999, 1)], |data| {
        data["object"]["metadata"]["account_id"] = json!("other");
    });
    for told in [
        [with(0, &json!([])), begun.clone(), moved.clone()],
        [with(0, &json!([])), moved.clone(), begun.clone()],
        [begun, moved, with(0, &json!([]))],
    ] {
        let office = Office::open([]).await;
        office.told(&told).await;
        office.desk.work().await;
        assert_eq!((office.revenue().await, standing(&office.desk, "other").await.1), (0, 1_000));
    }
}

/// Nothing is brought by a coupon. One that would do so is held, and a share of a percent counts.
#[tokio::test]
async fn a_coupon_that_takes_off_less_than_nothing_or_more_than_all_is_held() {
    let coupon = |member: &str, off: Value| json!({ "id": "C", "duration": "forever", member: off, "currency": "usd" });
    for (member, off, right) in [
        ("percent_off", json!(-100), 1_999),
        ("percent_off", json!(150), 1_999),
        ("amount_off", json!(-5_000), 1_999),
        ("percent_off", json!(33.33), 1_333),
    ] {
        let office = Office::open([]).await;
        let told =
            office.told(&[with(0, &json!([])), discount(1, "created", &coupon(member, off.clone()))]).await;
        assert_eq!(office.revenue().await, right, "{member} {off}");
        let expected = if right == 1_999 { InboxState::Dead } else { InboxState::Processed };
        assert_eq!(office.desk.state(&told[1]).await, expected, "{member} {off}");
        let own = with(2, &json!([{ "id": "di_2", "coupon": coupon(member, off.clone()) }]));
        office.told(&[own]).await;
        assert_eq!(office.revenue().await, right, "{member} {off} on the subscription");
    }
}
