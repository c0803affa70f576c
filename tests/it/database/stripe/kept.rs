//! What is kept of a delivery, and for how long?

use std::collections::BTreeSet;

use chrono::TimeDelta;
use counterfoil::stripe::inbound::inbox::{DocumentRetention, InboxState, Operated, Proof, ReceiveError};
use serde_json::Value;

use crate::support::{
    desk::Desk,
    documents::{SHAPES, all, read, value},
};

#[tokio::test]
async fn a_delivery_is_kept_once_and_its_first_body_stays() {
    let desk = Desk::open().await;
    let first = desk.receive(&read(SHAPES[1], "invoice.paid.subscription_create.json")).await.unwrap();
    let second = desk.receive(&read("edge", "same_event_id_other_bytes.json")).await.unwrap();
    assert_eq!((first.repeated, second.repeated), (false, true));
    assert_eq!(first.event, second.event);
    let entry = desk.inbox.find(first.event.as_str()).await.unwrap().unwrap();
    let kept: Value = serde_json::from_slice(&entry.body.unwrap()).unwrap();
    assert_eq!(kept["data"]["object"]["customer_email"], "…");
    let lines = |event: &Value| event["data"]["object"]["lines"].clone();
    assert_eq!(lines(&kept), lines(&value(SHAPES[1], "invoice.paid.subscription_create.json")));
    assert_eq!((entry.summary.proof, entry.summary.secret.as_deref()), (Proof::Signed, Some("1")));
    assert_eq!(desk.count().await[&InboxState::Received], 1);
}

/// Whom each of these documents is about, and how they can be reached or charged.
fn about_people(value: &Value, said: &mut BTreeSet<String>) {
    const PERSONAL: [&str; 9] = [
        "email",
        "customer_email",
        "customer_name",
        "phone",
        "line1",
        "postal_code",
        "last4",
        "client_secret",
        "hosted_invoice_url",
    ];
    match value {
        Value::Object(members) => {
            let personal = members.iter().filter(|(name, _)| PERSONAL.contains(&name.as_str()));
            said.extend(personal.filter_map(|(_, member)| member.as_str()).map(str::to_owned));
            let has_name = members.contains_key("email") && members.contains_key("name");
            said.extend(members.get("name").filter(|_| has_name).and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| about_people(member, said));
        }
        Value::Array(members) => members.iter().for_each(|member| about_people(member, said)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn nothing_is_kept_of_who_a_person_is_and_how_they_pay() {
    let mut said = BTreeSet::new();
    let desk = Desk::open().await;
    for shape in SHAPES {
        for file in all(shape) {
            about_people(&value(shape, &file), &mut said);
            desk.take_file(shape, &file).await;
        }
    }
    assert!(said.len() > 10, "{said:?}");
    let kept = "select convert_from(body, 'UTF8') from ledger.stripe_inbox";
    let kept: Vec<String> = sqlx::query_scalar(kept).fetch_all(&desk.test.database.pool()).await.unwrap();
    assert!(kept.len() > 50);
    for said in &said {
        let of_it = kept.iter().find(|body| body.contains(&format!("\"{said}\"")));
        assert_eq!(of_it, None, "{said}");
    }
}

/// What an earlier release stored whole, and what has been over for long enough.
#[tokio::test]
async fn documents_are_taken_away_when_their_events_have_been_over_for_so_many_days() {
    let desk = Desk::open().await;
    let over = desk.take_file(SHAPES[1], "customer.created.json").await;
    desk.work().await;
    let waits = desk.take_file(SHAPES[1], "invoice.paid.subscription_create.json").await;
    let whole = read(SHAPES[1], "customer.created.json");
    sqlx::query("update ledger.stripe_inbox set body = $2, blanked = false where event_id = $1")
        .bind(&over)
        .bind(&whole)
        .execute(&desk.test.database.pool())
        .await
        .unwrap();
    let kept = async |event: &str| desk.inbox.find(event).await.unwrap().unwrap().body;
    let look = async |days: Option<u32>| {
        DocumentRetention::new(desk.inbox.clone(), desk.clock().clone(), days).look().await.unwrap();
    };
    look(None).await;
    let blanked = kept(&over).await.expect("it is kept");
    assert_ne!(blanked, whole);
    assert!(String::from_utf8(blanked).unwrap().contains('…'), "what was stored whole is blanked");

    look(Some(90)).await;
    assert!(kept(&over).await.is_some());
    desk.clock().set(desk.clock().now().plus(TimeDelta::days(91)));
    look(None).await;
    assert!(kept(&over).await.is_some(), "they are kept for ever where that is asked for");
    look(Some(90)).await;
    assert_eq!(kept(&over).await, None);
    assert!(kept(&waits).await.is_some(), "it is not over");
    assert_eq!(desk.inbox.retry(&over, desk.clock().now()).await.unwrap(), Operated::Forgotten);
    let again = desk.take_file(SHAPES[1], "customer.created.json").await;
    assert_eq!(
        (again.as_str(), kept(&over).await),
        (over.as_str(), None),
        "it is known, and not stored again"
    );
    desk.work().await;
    assert_eq!(desk.state(&waits).await, InboxState::Processed);
}

#[tokio::test]
async fn what_is_not_signed_or_no_event_is_not_kept() {
    let desk = Desk::open().await;
    let body = read(SHAPES[1], "customer.created.json");
    let unsigned = desk.inbox.receive(&desk.secrets, None, &body, desk.clock().now()).await;
    assert!(matches!(unsigned, Err(ReceiveError::Signature(_))));
    assert!(matches!(desk.receive(&read("edge", "not_json.txt")).await, Err(ReceiveError::Unparsable(_))));
    assert_eq!(desk.count().await.values().sum::<i64>(), 0);
}
