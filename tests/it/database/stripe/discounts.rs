//! Discounts that an event names by their ids: what they are is asked of Stripe once, and remembered.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State as Shared, http::StatusCode, http::Uri};
use counterfoil::{
    domain::time::Timestamp,
    stripe::inbound::{inbox::InboxState, processor::Processor},
};
use serde_json::{Value, json};

use super::reports::{CREATOR, DAY, START, item, report, standing};
use crate::support::{desk::Desk, documents::here, heard::Heard, shop::client};

/// What Stripe answers, by path, and what it was asked. The sandbox sells nothing at a discount.
#[derive(Clone, Default)]
struct Answers {
    objects: Arc<BTreeMap<&'static str, Value>>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn answer(Shared(answers): Shared<Answers>, uri: Uri) -> (StatusCode, Json<Value>) {
    answers.asked.lock().unwrap().push(uri.path().to_owned());
    match answers.objects.get(uri.path()) {
        Some(object) => (StatusCode::OK, Json(object.clone())),
        None => {
            let error = json!({ "error": { "type": "invalid_request_error", "code": "resource_missing" } });
            (StatusCode::NOT_FOUND, Json(error))
        }
    }
}

pub struct Office {
    pub desk: Desk,
    answers: Answers,
}

impl Office {
    pub async fn open(objects: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let answers = Answers { objects: Arc::new(objects.into_iter().collect()), ..Answers::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(answers.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut desk = Desk::open().await;
        desk.clock().set(Timestamp::from_seconds(START + 20 * DAY).unwrap());
        let (inbox, ledger) = (desk.inbox.clone(), desk.test.ledger.clone());
        desk.processor = Processor::new(inbox, ledger, here()).asking(Some(client("sk_test_office", &url)));
        Self { desk, answers }
    }

    pub async fn told(&self, events: &[Value]) -> Vec<String> {
        let mut ids = Vec::new();
        for event in events {
            ids.push(self.desk.take(event).await);
            self.desk.work().await;
        }
        ids
    }

    pub async fn revenue(&self) -> i64 {
        standing(&self.desk, "acme").await.1
    }

    pub fn asked(&self) -> Vec<String> {
        self.answers.asked.lock().unwrap().clone()
    }
}

pub fn half() -> Value {
    json!({ "id": "HALF", "object": "coupon", "percent_off": 50, "duration": "forever" })
}

/// A subscription of 19.99 with these discounts.
pub fn with(day: i64, discounts: &Value) -> Value {
    let kind = if day == 0 { "created" } else { "updated" };
    report(kind, day, &[item(CREATOR, 1_999, 1)], |data| data["object"]["discounts"] = discounts.clone())
}

/// As versions since 2025-09-30 tell it.
fn told_by_id() -> [(&'static str, Value); 2] {
    let discount =
        json!({ "id": "di_1", "object": "discount", "source": { "type": "coupon", "coupon": "HALF" } });
    [
        ("/v1/subscriptions/sub_1", json!({ "id": "sub_1", "discounts": [discount] })),
        ("/v1/coupons/HALF", half()),
    ]
}

#[tokio::test]
async fn a_discount_that_is_told_as_an_id_is_asked_for_once_and_remembered() {
    let office = Office::open(told_by_id()).await;
    office.told(&[with(0, &json!(["di_1"]))]).await;
    assert_eq!(office.revenue().await, 1_000);
    assert_eq!(office.asked(), ["/v1/subscriptions/sub_1", "/v1/coupons/HALF"]);
    let again = office.told(&[with(1, &json!(["di_1"])), with(2, &json!([]))]).await;
    assert_eq!(office.asked().len(), 2, "nothing was asked again");
    assert_eq!(office.revenue().await, 1_999, "it was taken off");
    assert_eq!(office.desk.reason(&again[0]).await, "");
}

#[tokio::test]
async fn a_discount_of_an_item_and_one_with_its_coupon_inside_are_read() {
    let discount = json!({ "id": "di_2", "object": "discount", "coupon": half() });
    let subscription =
        json!({ "id": "sub_1", "discounts": [], "items": { "data": [{ "discounts": [discount] }] } });
    let office = Office::open([("/v1/subscriptions/sub_1", subscription)]).await;
    let mut event = with(0, &json!([]));
    event["data"]["object"]["items"]["data"][0]["discounts"] = json!(["di_2"]);
    office.told(&[event]).await;
    assert_eq!(office.revenue().await, 1_000);
    assert_eq!(office.asked(), ["/v1/subscriptions/sub_1"]);
}

#[tokio::test]
async fn a_coupon_that_is_named_is_asked_for_by_its_name() {
    let office = Office::open(told_by_id()).await;
    office.told(&[with(0, &json!([{ "id": "di_1", "source": { "coupon": "HALF" } }]))]).await;
    assert_eq!((office.revenue().await, office.asked()), (1_000, vec!["/v1/coupons/HALF".to_owned()]));
}

#[tokio::test]
async fn the_older_field_says_what_the_ids_beside_it_are() {
    let office = Office::open([]).await;
    let mut event = with(0, &json!(["di_1"]));
    event["data"]["object"]["discount"] = json!({ "id": "di_1", "object": "discount", "coupon": half() });
    office.told(&[event]).await;
    assert_eq!((office.revenue().await, office.asked()), (1_000, Vec::new()));
}

#[tokio::test]
async fn a_discount_that_cannot_be_found_out_is_counted_and_said_and_holds_nothing_up() {
    let heard = Heard::begin();
    let office = Office::open([]).await;
    let event = office.told(&[with(0, &json!(["di_lost"]))]).await.remove(0);
    assert_eq!(office.revenue().await, 1_999);
    assert_eq!(office.desk.state(&event).await, InboxState::Processed);
    assert!(office.desk.reason(&event).await.contains("di_lost"));
    let line = heard.line("a discount is not known, and takes nothing off the revenue");
    assert_eq!(
        (&line["level"], &line["event"], &line["discount"]),
        (&json!("WARN"), &json!(event), &json!("di_lost"))
    );
    heard.has_counted(&["counterfoil_stripe_discounts_unknown_total 1"]);
}
