//! What was bought, where metadata does not say so: by the items of a session, and by the lines of an invoice.

use std::sync::Arc;

use counterfoil::{
    domain::{
        catalog::Catalog,
        command::{Command, PurchaseCommand, RecordPackPurchase},
        time::Timestamp,
    },
    stripe::{
        documents::envelope::Envelope,
        inbound::inbox::InboxState,
        translate::{Instructions, SetAside, Translation, translate},
    },
};
use serde_json::{Value, json};

use crate::support::{
    desk::Desk,
    documents::{ADA, SHAPES, catalog, here, value},
};

const LARGE: &str = "price_large";
const SMALL: &str = "price_small";

/// The catalog with prices of two packs.
fn selling() -> Catalog {
    let mut catalog = Arc::unwrap_or_clone(catalog());
    for (id, price) in [("pack_2000", LARGE), ("pack_5500", SMALL)] {
        let pack = catalog.packs.iter_mut().find(|pack| pack.id.as_str() == id).unwrap();
        pack.stripe.price_ids = vec![price.to_owned()];
    }
    catalog
}

fn translated(event: &Value) -> Translation {
    translate(&Envelope::of(event).unwrap(), &selling(), &here())
}

/// A paid session, changed.
fn session(id: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut event = value(SHAPES[1], "checkout.session.completed.topup.json");
    event["id"] = json!(id);
    change(&mut event["data"]["object"]);
    event
}

/// One that nobody but its items says anything of.
fn linked(id: &str, items: &Value) -> Value {
    session(id, |session| {
        session["metadata"] = json!({});
        session["line_items"] = items.clone();
    })
}

fn item(id: &str, price: &str, quantity: u32, minor: i64) -> Value {
    json!({ "id": id, "object": "item", "price": { "id": price }, "quantity": quantity, "amount_total": minor })
}

fn items(items: &[Value]) -> Value {
    json!({ "object": "list", "data": items, "has_more": false })
}

fn purchases(told: &Instructions) -> Vec<&RecordPackPurchase> {
    let purchases = told.steps.iter().filter_map(|step| match &step.command {
        Command::Purchase(PurchaseCommand::RecordPackPurchase(purchase)) => Some(purchase),
        _ => None,
    });
    purchases.collect()
}

#[test]
fn the_items_of_a_session_say_which_packs_and_how_many() {
    let both = items(&[
        item("li_1", LARGE, 2, 3600),
        item("li_2", SMALL, 1, 4500),
        item("li_3", "price_shirt", 1, 900),
    ]);
    let event = linked("evt_1", &both);
    let told = translated(&event).unwrap();
    let bought = purchases(&told);
    let said: Vec<_> =
        bought.iter().map(|bought| (bought.pack.as_str(), bought.quantity, bought.money.minor)).collect();
    assert_eq!(said, [("pack_2000", 2, 3600), ("pack_5500", 1, 4500)]);
    assert!(bought.iter().all(|bought| bought.paid.as_ref().unwrap().minor == 2000 && bought.item.is_some()));
    let keys: Vec<&str> = told.steps.iter().rev().take(2).map(|step| step.key.as_str()).collect();
    assert!(keys[1].ends_with(":li_1") && keys[0].ends_with(":li_2"), "{keys:?}");
}

/// Under the key that it has where its metadata says what it is, so that it is granted once.
#[test]
fn one_pack_has_the_key_of_its_payment_however_it_is_known() {
    let by_metadata = translated(&session("evt_1", |_| ())).unwrap();
    let by_item = translated(&linked("evt_2", &items(&[item("li_1", LARGE, 1, 2000)]))).unwrap();
    assert_eq!(by_metadata.steps.last().unwrap().key, by_item.steps.last().unwrap().key);
    assert_eq!(purchases(&by_item)[0].money, purchases(&by_metadata)[0].money);
}

#[test]
fn a_pack_that_left_the_catalog_is_told_as_its_session_was_made() {
    let event = session("evt_1", |session| {
        session["metadata"]["topup_code"] = json!("pack_of_old");
        session["line_items"] = items(&[item("li_1", "price_of_old", 3, 2000)]);
    });
    let told = translated(&event).unwrap();
    assert_eq!((purchases(&told)[0].pack.as_str(), purchases(&told)[0].quantity), ("pack_of_old", 3));
    let unread = session("evt_2", |session| session["metadata"]["topup_code"] = json!("pack_of_old"));
    assert!(matches!(translated(&unread), Err(SetAside::Incomplete(_))));
}

#[test]
fn a_session_whose_items_are_not_there_is_incomplete() {
    let mut event = linked("evt_1", &Value::Null);
    assert!(matches!(translated(&event), Err(SetAside::Incomplete(_))));
    event["data"]["object"]["line_items"] =
        json!({ "data": [item("li_1", LARGE, 1, 2000)], "has_more": true });
    assert!(matches!(translated(&event), Err(SetAside::Incomplete(_))));
    // What is not paid may stay unknown.
    let mut unpaid = linked("evt_2", &Value::Null);
    unpaid["data"]["object"]["payment_status"] = json!("unpaid");
    assert!(matches!(translated(&unpaid), Err(SetAside::Ignored(_))));
}

#[test]
fn an_item_without_a_number_is_held() {
    let mut none = item("li_1", LARGE, 1, 2000);
    for quantity in [json!(0), json!(-1), Value::Null, json!("2")] {
        none["quantity"] = quantity;
        let event = linked("evt_1", &items(&[none.clone()]));
        assert!(matches!(translated(&event), Err(SetAside::NeedsReview(_))), "{none}");
    }
}

#[tokio::test]
async fn what_nobody_knows_is_held_of_an_account_and_left_alone_of_strangers() {
    let desk = Desk::selling(Arc::new(selling())).await;
    let shirt = items(&[item("li_1", "price_shirt", 1, 2000)]);
    let named = desk.take(&linked("evt_named", &shirt)).await;
    let of_customer = |id: &str, customer: Value| {
        let mut event = linked(id, &shirt);
        event["data"]["object"]["client_reference_id"] = Value::Null;
        event["data"]["object"]["customer"] = customer;
        event
    };
    let strange = desk.take(&of_customer("evt_strange", json!("cus_stranger"))).await;
    let nobody = desk.take(&of_customer("evt_nobody", Value::Null)).await;
    desk.work().await;
    assert_eq!(desk.state(&named).await, InboxState::Dead);
    assert!(desk.reason(&named).await.contains("nobody knows what for"), "{}", desk.reason(&named).await);
    assert_eq!(desk.state(&nobody).await, InboxState::Ignored);
    assert_eq!(
        desk.state(&strange).await,
        InboxState::Waiting,
        "the customer may turn out to be one of ours"
    );
    desk.tell(&["customer.created.json"]).await;
    let ours = value(SHAPES[1], "customer.created.json")["data"]["object"]["id"].clone();
    let known = desk.take(&of_customer("evt_known", ours)).await;
    desk.work().await;
    assert_eq!(desk.state(&known).await, InboxState::Dead);
    for _ in 0..25 {
        desk.pass(3_600);
        desk.work().await;
    }
    assert_eq!(desk.state(&strange).await, InboxState::Ignored);
}

/// A paid invoice of packs, of a subscription or of none.
fn invoice(id: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut event = value(SHAPES[1], "invoice.paid.subscription_create.json");
    event["id"] = json!(id);
    let pack = json!({
        "id": "il_pack", "object": "line_item", "amount": 2000, "currency": "usd", "quantity": 1,
        "period": { "start": 1_748_736_000, "end": 1_748_736_000 },
        "parent": { "type": "invoice_item_details", "invoice_item_details": { "proration": false } },
        "pricing": { "price_details": { "price": LARGE } },
    });
    let invoice = &mut event["data"]["object"];
    invoice["lines"]["data"].as_array_mut().unwrap().push(pack);
    invoice["lines"]["total_count"] = json!(2);
    change(invoice);
    event
}

#[tokio::test]
async fn a_pack_on_a_subscriptions_invoice_is_granted_beside_the_period() {
    let desk = Desk::selling(Arc::new(selling())).await;
    desk.clock().set(Timestamp::parse("2025-06-02T00:00:00Z").unwrap());
    let told = translated(&invoice("evt_1", |_| ())).unwrap();
    assert_eq!(purchases(&told)[0].paid.as_ref().map(|paid| paid.minor), Some(999));
    desk.take(&invoice("evt_1", |_| ())).await;
    desk.work().await;
    assert_eq!(desk.ada().await, 2_550);
    desk.take(&invoice("evt_2", |_| ())).await;
    desk.work().await;
    assert_eq!(desk.ada().await, 2_550, "told twice, granted once");
}

/// Of no subscription, as a checkout makes one beside its payment.
fn alone(id: &str) -> Value {
    invoice(id, |invoice| {
        invoice["id"] = json!("in_alone");
        invoice["lines"]["data"].as_array_mut().unwrap().remove(0);
        invoice["lines"]["total_count"] = json!(1);
        invoice["parent"] = Value::Null;
        invoice["metadata"] = json!({ "account_id": ADA });
        invoice["amount_paid"] = json!(2000);
    })
}

#[tokio::test]
async fn a_session_and_its_invoice_count_once_in_any_order_and_leave_nothing_dead() {
    let with_invoice = || session("evt_session", |session| session["invoice"] = json!("in_alone"));
    for order in [[with_invoice(), alone("evt_invoice")], [alone("evt_invoice"), with_invoice()]] {
        let desk = Desk::selling(Arc::new(selling())).await;
        for event in &order {
            desk.take(event).await;
            desk.work().await;
        }
        assert_eq!(desk.ada().await, 2_050);
        let count = desk.count().await;
        assert_eq!(count[&InboxState::Dead], 0, "{count:?}");
        // The refund names the payment.
        desk.tell(&["charge.refunded.json"]).await;
        assert_eq!(desk.ada().await, 1_050);
    }
}
