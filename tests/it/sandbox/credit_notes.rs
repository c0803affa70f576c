//! Does what is taken off an invoice show where Stripe shows it? Credit notes, several payments, prevented disputes,
//! refunds.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bench, text};

/// A subscription whose first invoice is paid, or waits.
async fn invoice(bench: &Bench, terms: &[(&str, &str)]) -> (Value, String) {
    let customer = bench.customer("pm_card_visa").await;
    let price = bench.price("Creator", "1999").await;
    let mut form = vec![("customer", customer.as_str()), ("items[0][price]", &price)];
    form.extend_from_slice(terms);
    let row = bench.post("/v1/subscriptions", &form).await;
    (bench.get(&format!("/v1/invoices/{}", text(&row["latest_invoice"]))).await, customer)
}

async fn read(bench: &Bench, invoice: &Value) -> Value {
    bench.get(&format!("/v1/invoices/{}", text(&invoice["id"]))).await
}

const WAITS: (&str, &str) = ("payment_behavior", "default_incomplete");

#[tokio::test]
async fn money_of_a_paid_invoice_goes_to_the_balance_or_the_card_or_elsewhere() {
    let bench = Bench::start().await;
    let (paid, customer) = invoice(&bench, &[]).await;
    let form = [
        ("invoice", text(&paid["id"])),
        ("credit_amount", "500"),
        ("refund_amount", "300"),
        ("out_of_band_amount", "100"),
    ];
    let note = bench.post("/v1/credit_notes", &form).await;
    assert_eq!((&note["amount"], &note["type"]), (&json!(900), &json!("post_payment")));
    assert_eq!(note["refunds"][0]["amount_refunded"], 300);
    let after = read(&bench, &paid).await;
    assert_eq!(after["post_payment_credit_notes_amount"], 900);
    assert_eq!((&after["status"], &after["amount_paid"]), (&json!("paid"), &json!(1999)));
    assert_eq!(bench.get(&format!("/v1/customers/{customer}")).await["balance"], -500);
    let told = bench.told("invoice.updated").await;
    assert_eq!(told["data"]["previous_attributes"], json!({ "post_payment_credit_notes_amount": 0 }));
    bench.told("customer.updated").await;
    let types = bench.receiver.types();
    let place = |kind: &str| types.iter().rposition(|other| other == kind).unwrap();
    assert!(place("charge.refunded") < place("credit_note.created"), "{types:?}");
    assert!(place("credit_note.created") < place("invoice.updated"), "{types:?}");
    assert!(place("invoice.updated") < place("customer.updated"), "{types:?}");

    let much = [("invoice", text(&paid["id"])), ("credit_amount", "1100")];
    assert_eq!(bench.ask(Method::POST, "/v1/credit_notes", &much).await.0, 400, "1099 are left");
    let nowhere = [("invoice", text(&paid["id"])), ("amount", "100")];
    assert_eq!(bench.ask(Method::POST, "/v1/credit_notes", &nowhere).await.0, 400);
}

#[tokio::test]
async fn an_open_invoice_that_is_credited_whole_is_paid_with_nothing() {
    let bench = Bench::start().await;
    let (open, customer) = invoice(&bench, &[WAITS]).await;
    assert_eq!(open["status"], "open");
    let form = [("invoice", text(&open["id"])), ("amount", "1999")];
    let note = bench.post("/v1/credit_notes", &form).await;
    assert_eq!((&note["type"], &note["pre_payment_amount"]), (&json!("pre_payment"), &json!(1999)));
    let paid = read(&bench, &open).await;
    assert_eq!(
        (&paid["status"], &paid["amount_paid"], &paid["total"]),
        (&json!("paid"), &json!(0), &json!(1999))
    );
    assert_eq!(paid["pre_payment_credit_notes_amount"], 1999);
    assert_eq!(bench.get(&format!("/v1/customers/{customer}")).await["balance"], 0);
    bench.told("invoice.paid").await;
    assert!(!bench.receiver.types().iter().any(|kind| kind == "invoice_payment.paid"));
    let void = format!("/v1/credit_notes/{}/void", text(&note["id"]));
    assert_eq!(bench.ask(Method::POST, &void, &[]).await.0, 400, "the invoice is paid");
}

#[tokio::test]
async fn a_part_is_taken_off_by_lines_and_asked_for_again_when_the_note_is_void() {
    let bench = Bench::start().await;
    let (open, _) = invoice(&bench, &[WAITS]).await;
    let line = text(&open["lines"]["data"][0]["id"]).to_owned();
    let form = [
        ("invoice", text(&open["id"])),
        ("lines[0][type]", "invoice_line_item"),
        ("lines[0][invoice_line_item]", &line),
        ("lines[0][amount]", "999"),
    ];
    let note = bench.post("/v1/credit_notes", &form).await;
    assert_eq!(read(&bench, &open).await["amount_remaining"], 1000);
    let listed = bench.get(&format!("/v1/credit_notes?invoice={}", text(&open["id"]))).await;
    assert_eq!(listed["data"][0]["lines"]["data"][0]["invoice_line_item"], json!(line));
    let path = format!("/v1/credit_notes/{}", text(&note["id"]));
    assert_eq!(bench.post(&format!("{path}/void"), &[]).await["status"], "void");
    assert_eq!(bench.get(&path).await["status"], "void");
    bench.post(&format!("/v1/invoices/{}/pay", text(&open["id"])), &[]).await;
    assert_eq!(read(&bench, &open).await["amount_paid"], 1999);
}

#[tokio::test]
async fn notes_are_listed_by_invoice_customer_and_time_and_stay_listed_when_void() {
    let bench = Bench::start().await;
    let (first, customer) = invoice(&bench, &[WAITS]).await;
    let mut notes = Vec::new();
    for amount in ["100", "200", "300"] {
        let form = [("invoice", text(&first["id"])), ("amount", amount)];
        notes.push(text(&bench.post("/v1/credit_notes", &form).await["id"]).to_owned());
    }
    bench.post(&format!("/v1/credit_notes/{}/void", notes[1]), &[]).await;
    bench.advance("1 day").await;
    let (second, other) = invoice(&bench, &[WAITS]).await;
    let form = [("invoice", text(&second["id"])), ("amount", "400")];
    notes.push(text(&bench.post("/v1/credit_notes", &form).await["id"]).to_owned());

    let listed = async |query: &str| {
        let page = bench.get(&format!("/v1/credit_notes?{query}")).await;
        let ids = page["data"].as_array().unwrap().iter().map(|note| text(&note["id"]).to_owned());
        (ids.collect::<Vec<String>>(), page["has_more"] == true)
    };
    let newest_first =
        |places: &[usize]| places.iter().map(|place| notes[*place].clone()).collect::<Vec<_>>();
    assert_eq!(listed("").await, (newest_first(&[3, 2, 1, 0]), false));
    assert_eq!(listed("limit=3").await, (newest_first(&[3, 2, 1]), true));
    let after = format!("limit=3&starting_after={}", notes[1]);
    assert_eq!(listed(&after).await, (newest_first(&[0]), false));
    let of = |name: &str, value: &str| format!("{name}={value}");
    assert_eq!(listed(&of("invoice", text(&first["id"]))).await.0, newest_first(&[2, 1, 0]));
    assert_eq!(listed(&of("customer", &customer)).await.0, newest_first(&[2, 1, 0]));
    assert_eq!(listed(&of("customer", &other)).await.0, newest_first(&[3]));
    let since = second["created"].as_i64().unwrap();
    assert_eq!(listed(&of("created[gte]", &since.to_string())).await.0, newest_first(&[3]));
    let void = bench.get("/v1/credit_notes").await["data"][2]["status"].clone();
    assert_eq!(void, "void");
}

#[tokio::test]
async fn several_payments_pay_one_invoice() {
    let bench = Bench::start().await;
    let (open, customer) = invoice(&bench, &[WAITS]).await;
    let form = [
        ("amount", "1200"),
        ("currency", "usd"),
        ("customer", customer.as_str()),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("off_session", "true"),
    ];
    let intent = text(&bench.post("/v1/payment_intents", &form).await["id"]).to_owned();
    let path = format!("/v1/invoices/{}", text(&open["id"]));
    let part = bench.post(&format!("{path}/attach_payment"), &[("payment_intent", &intent)]).await;
    assert_eq!((&part["status"], &part["amount_remaining"]), (&json!("open"), &json!(799)));
    bench.post(&format!("{path}/pay"), &[]).await;
    let payments = bench.get(&format!("/v1/invoice_payments?invoice={}", text(&open["id"]))).await;
    let amounts: Vec<i64> =
        payments["data"].as_array().unwrap().iter().map(|row| row["amount_paid"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [799, 1200]);
    let of_intent = bench
        .get(&format!("/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent}"))
        .await;
    assert_eq!(of_intent["data"][0]["invoice"], open["id"]);
    assert_eq!(read(&bench, &open).await["amount_paid"], 1999);
}

/// A dispute that the network has prevented, of the payment of a subscription's first invoice.
async fn prevented(bench: &Bench) -> Value {
    let (paid, _) = invoice(bench, &[]).await;
    let payments = bench.get(&format!("/v1/invoice_payments?invoice={}", text(&paid["id"]))).await;
    let intent = text(&payments["data"][0]["payment"]["payment_intent"]);
    let (_, dispute) =
        bench.control("disputes", json!({ "payment_intent": intent, "status": "prevented" })).await;
    assert_eq!(dispute["status"], "prevented");
    bench.told("charge.dispute.closed").await;
    dispute
}

#[tokio::test]
async fn a_prevented_dispute_takes_the_money() {
    let bench = Bench::start().await;
    let dispute = prevented(&bench).await;
    assert_eq!(dispute["balance_transactions"][0]["amount"], -1999);
    bench.told("charge.dispute.funds_withdrawn").await;
}

/// What nobody has verified can be either way.
#[tokio::test]
async fn a_prevented_dispute_takes_no_money_where_that_is_set() {
    let bench = Bench::start().await;
    bench.control("settings", json!({ "prevented_withdraws": false })).await;
    let dispute = prevented(&bench).await;
    assert_eq!(dispute["balance_transactions"], json!([]));
    let withdrawn = bench.get("/v1/events?type=charge.dispute.funds_withdrawn").await;
    assert_eq!(withdrawn["data"], json!([]));
}

#[tokio::test]
async fn the_payment_of_an_invoice_is_told_last_and_dated_two_seconds_later() {
    let bench = Bench::start().await;
    invoice(&bench, &[]).await;
    let last = bench.told("invoice_payment.paid").await;
    assert_eq!(bench.receiver.types().last().map(String::as_str), Some("invoice_payment.paid"));
    let paid = bench.told("invoice.paid").await["created"].as_i64().unwrap();
    assert_eq!(last["created"], paid + 2);
}

#[tokio::test]
async fn a_refund_is_told_in_stripes_order() {
    let bench = Bench::start().await;
    let (paid, _) = invoice(&bench, &[]).await;
    bench.told("invoice_payment.paid").await;
    let before = bench.receiver.types().len();
    let payments = bench.get(&format!("/v1/invoice_payments?invoice={}", text(&paid["id"]))).await;
    let intent = text(&payments["data"][0]["payment"]["payment_intent"]);
    bench.post("/v1/refunds", &[("payment_intent", intent), ("amount", "100")]).await;
    bench.told("charge.refund.updated").await;
    let types = bench.receiver.types().split_off(before);
    assert_eq!(types, ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"]);
}
