//! Is as much paid and given back as the ledger says? Each way in which an object can say otherwise is planted by
//! itself.

use counterfoil::{
    domain::time::Timestamp,
    stripe::inbound::reconcile::{Drift, ReconcileReport, StoredFigures, Subject, UntoldCause},
};
use serde_json::{Value, json};

use super::planted::{bureau, object, shown};
use crate::support::{
    bureau::Bureau,
    documents::{SHAPES, value},
};

const CREATED: &str = "in_1QLedgerAda00000000000A1";
const RENEWED: &str = "in_1QLedgerAda00000000000A3";
const LINK: &str = "inpay_1QLedgerAda0000000001";
const SESSION: &str = "cs_test_b1LedgerAdaTop0000000000000000000000000000000000001";
const OF_INVOICE: &str = "pi_3QLedgerAda00000000000A1";
const OF_SESSION: &str = "pi_3QLedgerAda00000000000T1";
const REFUND: &str = "re_3QLedgerAda00000000000R1";
const DISPUTE: &str = "du_1QLedgerAda00000000000D1";

/// What Stripe says of an object otherwise.
struct Plant {
    object: &'static str,
    name: &'static str,
    plant: fn(&mut Value),
    stripe_says: &'static str,
    ledger_says: &'static str,
    kept: StoredFigures,
}

const fn plant(
    object: &'static str,
    name: &'static str,
    plant: fn(&mut Value),
    says: [&'static str; 2],
    kept: StoredFigures,
) -> Plant {
    Plant { object, name, plant, stripe_says: says[0], ledger_says: says[1], kept }
}

/// What the ledger was told otherwise, and keeps.
const KEPT: [Plant; 28] = [
    plant(
        RENEWED,
        "what a line does",
        |invoice| invoice["lines"]["data"][0]["amount"] = json!(-1_999),
        ["lines given back 1 × creator", "lines 1 × creator for 1999 usd"],
        StoredFigures::Amount,
    ),
    plant(
        REFUND,
        "payment",
        |refund| refund["payment_intent"] = json!("pi_3QLedgerAda00000000000T2"),
        ["a refund of pi_3QLedgerAda00000000000T2", "a refund of pi_3QLedgerAda00000000000T1"],
        StoredFigures::Purpose,
    ),
    plant(
        RENEWED,
        "what was paid",
        |invoice| invoice["amount_paid"] = json!(999),
        ["paid 999 usd", "paid 1999 usd"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "what was to be paid",
        |invoice| invoice["total"] = json!(2_499),
        ["total 2499", "total 1999"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "what was taken off before",
        |invoice| invoice["pre_payment_credit_notes_amount"] = json!(500),
        ["credited before 500", "credited before 0"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "what the balance paid",
        |invoice| {
            invoice["starting_balance"] = json!(-500);
            invoice["ending_balance"] = json!(0);
        },
        ["from the balance 500", "from the balance 0"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "what it gives back of another one",
        |invoice| {
            let lines = invoice["lines"]["data"].as_array_mut().unwrap();
            let mut line = lines[0].clone();
            line["id"] = json!("il_an_add_on");
            line["amount"] = json!(-500);
            line["pricing"]["price_details"]["price"] = json!("price_of_an_add_on");
            line["parent"]["subscription_item_details"]["proration_details"]["credited_items"] =
                json!({ "invoice": "in_of_an_add_on", "invoice_line_items": [] });
            lines.push(line);
        },
        ["gives back 500 of in_of_an_add_on", "gives back nothing"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "currency",
        |invoice| invoice["currency"] = json!("eur"),
        ["paid 1999 eur", "paid 1999 usd"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "what a line came to",
        |invoice| invoice["lines"]["data"][0]["amount"] = json!(1_000),
        ["lines 1 × creator for 1000 usd", "lines 1 × creator for 1999 usd"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "how many a line is for",
        |invoice| invoice["lines"]["data"][0]["quantity"] = json!(2),
        ["lines 2 × creator", "lines 1 × creator"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "plan of a line",
        |invoice| {
            invoice["lines"]["data"][0]["pricing"]["price_details"]["price"] =
                json!("price_1QLedgerTeamMonthly000003");
        },
        ["1 × team", "1 × creator"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "period of a line",
        |invoice| invoice["lines"]["data"][0]["period"]["end"] = json!(1_754_129_100),
        ["to 2025-08-02", "to 2025-08-01"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "another line",
        |invoice| {
            let lines = invoice["lines"]["data"].as_array_mut().unwrap();
            let mut line = lines[0].clone();
            line["id"] = json!("il_another");
            lines.push(line);
        },
        ["usd from 2025-07-01", "lines 1 × creator"],
        StoredFigures::Amount,
    ),
    plant(
        RENEWED,
        "subscription",
        |invoice| {
            let parent = &mut invoice["parent"]["subscription_details"];
            parent["subscription"] = json!("sub_another");
            let line = &mut invoice["lines"]["data"][0]["parent"]["subscription_item_details"];
            line["subscription"] = json!("sub_another");
        },
        ["for sub_another", "for sub_1QLedgerAda00000000000001"],
        StoredFigures::Purpose,
    ),
    plant(
        RENEWED,
        "when it was paid",
        |invoice| invoice["status_transitions"]["paid_at"] = json!(1_751_454_303),
        ["paid at 2025-07-02", "paid at 2025-07-01"],
        StoredFigures::Time,
    ),
    plant(
        LINK,
        "less than its invoice",
        |payment| payment["amount_paid"] = json!(998),
        ["paid 998 usd of in_1QLedgerAda00000000000A1", "paid 999 usd of in_1QLedgerAda00000000000A1"],
        StoredFigures::Amount,
    ),
    plant(
        LINK,
        "more than its invoice",
        |payment| payment["amount_paid"] = json!(1_998),
        ["paid 1998 usd of in_1QLedgerAda00000000000A1", "in_1QLedgerAda00000000000A1 was paid with 999 usd"],
        StoredFigures::Amount,
    ),
    plant(
        LINK,
        "currency",
        |payment| payment["currency"] = json!("eur"),
        ["paid 999 eur", "was paid with 999 usd"],
        StoredFigures::Amount,
    ),
    plant(
        LINK,
        "invoice",
        |payment| payment["invoice"] = json!(RENEWED),
        ["A1 paid in_1QLedgerAda00000000000A3", "A1 paid in_1QLedgerAda00000000000A1"],
        StoredFigures::Purpose,
    ),
    plant(
        SESSION,
        "what was paid",
        |session| session["amount_total"] = json!(1_800),
        ["1 × pack_2000 for 1800 usd", "for 2000 usd"],
        StoredFigures::Amount,
    ),
    plant(
        SESSION,
        "how many",
        |session| {
            (session["amount_subtotal"], session["amount_total"]) = (json!(4_000), json!(4_000));
        },
        ["2 × pack_2000 for 4000 usd", "for 2000 usd"],
        StoredFigures::Amount,
    ),
    plant(
        SESSION,
        "status",
        |session| session["payment_status"] = json!("unpaid"),
        ["unpaid", "paid 2000 usd"],
        StoredFigures::Amount,
    ),
    plant(
        OF_SESSION,
        "what was paid",
        |payment| payment["amount_received"] = json!(1_500),
        ["paid 1500 usd", "paid 2000 usd"],
        StoredFigures::Amount,
    ),
    plant(
        OF_SESSION,
        "currency",
        |payment| payment["currency"] = json!("eur"),
        ["paid 2000 eur", "paid 2000 usd"],
        StoredFigures::Amount,
    ),
    plant(
        OF_SESSION,
        "status",
        |payment| (payment["status"], payment["amount_received"]) = (json!("canceled"), json!(0)),
        ["no money has moved", "paid 2000 usd"],
        StoredFigures::Amount,
    ),
    plant(
        OF_INVOICE,
        "more than its invoice",
        |payment| payment["amount_received"] = json!(1_000),
        ["paid 1000 usd of in_1QLedgerAda00000000000A1", "was paid with 999 usd"],
        StoredFigures::Amount,
    ),
    plant(
        REFUND,
        "amount",
        |refund| refund["amount"] = json!(700),
        ["700 usd went back", "1000 usd went back"],
        StoredFigures::Amount,
    ),
    plant(
        REFUND,
        "currency",
        |refund| refund["currency"] = json!("eur"),
        ["1000 eur went back", "1000 usd went back"],
        StoredFigures::Amount,
    ),
];

/// Of a dispute that was lost.
const OF_A_DISPUTE: [Plant; 4] = [
    plant(
        DISPUTE,
        "payment",
        |dispute| dispute["payment_intent"] = json!("pi_3QLedgerAda00000000000T1"),
        ["a dispute of pi_3QLedgerAda00000000000T1", "a dispute of pi_3QLedgerAda00000000000T2"],
        StoredFigures::Purpose,
    ),
    plant(
        DISPUTE,
        "amount",
        |dispute| dispute["amount"] = json!(2_500),
        ["2500 usd disputed", "5000 usd disputed"],
        StoredFigures::Amount,
    ),
    plant(
        DISPUTE,
        "it goes on",
        |dispute| dispute["status"] = json!("under_review"),
        ["open", "lost"],
        StoredFigures::End,
    ),
    plant(
        DISPUTE,
        "it is none",
        |dispute| dispute["status"] = json!("warning_closed"),
        ["an inquiry moves no money", "lost"],
        StoredFigures::End,
    ),
];

fn only(report: &ReconcileReport, name: &str) -> Drift {
    let [drift] = report.drifts.as_slice() else { panic!("{name}: {}", shown(&report.drifts)) };
    drift.clone()
}

fn subject(id: &str) -> Subject {
    match id {
        CREATED | RENEWED => Subject::PaidInvoice,
        LINK => Subject::InvoicePayment,
        SESSION => Subject::Checkout,
        OF_INVOICE | OF_SESSION => Subject::Payment,
        REFUND => Subject::Refund,
        _ => Subject::Dispute,
    }
}

async fn rebuilt(bureau: &Bureau) -> i64 {
    let counted = sqlx::query_scalar("select count(*) from ledger.stripe_inbox where proof = 'rebuilt'");
    counted.fetch_one(&bureau.desk.test.database.pool()).await.unwrap()
}

/// No event corrects it, so none is made of it, and a person is told why, each time again.
#[tokio::test]
async fn what_was_told_otherwise_is_reported_and_kept() {
    let (bureau, happened) = bureau().await;
    let same = bureau.run(false).await;
    assert!(same.found_nothing(), "{}", shown(&same.drifts));
    for Plant { object: id, name, plant, stripe_says, ledger_says, kept } in
        KEPT.into_iter().chain(OF_A_DISPUTE)
    {
        let whole = happened.iter().rfind(|event| event["data"]["object"]["id"] == id);
        let whole = whole.unwrap_or_else(|| panic!("the story has no {id}"))["data"]["object"].clone();
        let mut planted = whole.clone();
        plant(&mut planted);
        assert_ne!(planted, whole, "{id}: {name}");
        bureau.happened(&[], &[planted]).await;
        let name = format!("{id}: {name}");
        let drift = only(&bureau.run(false).await, &name);
        assert_eq!((drift.subject, drift.object.as_str()), (subject(id), id), "{name}");
        assert!(drift.stripe_says.contains(stripe_says), "{name}: {drift:?}");
        assert!(drift.ledger_says.contains(ledger_says), "{name}: {drift:?}");
        assert_eq!(drift.cause, UntoldCause::Kept { because: kept }, "{name}");
        assert!(drift.cause.sentence().starts_with("no event corrects it: "), "{name}");
        let repaired = bureau.run(true).await;
        assert_eq!((repaired.remaining(), only(&repaired, &name)), (1, drift), "{name}");
        assert_eq!(rebuilt(&bureau).await, 0, "{name}: an event would do nothing");
        bureau.happened(&[], &[whole]).await;
        let same = bureau.run(false).await;
        assert!(same.found_nothing(), "{name}: {}", shown(&same.drifts));
    }
}

/// What a refund, an invoice or a payment is otherwise, and what an event of it can put right.
async fn mended(bureau: &Bureau, name: &str, says: [&str; 2]) {
    let drift = only(&bureau.run(false).await, name);
    assert_eq!([drift.stripe_says.as_str(), drift.ledger_says.as_str()], says, "{name}");
    assert_eq!(drift.cause, UntoldCause::NoEvent, "{name}");
    let repaired = bureau.run(true).await;
    assert_eq!((repaired.remaining(), only(&repaired, name).repaired), (0, true), "{name}");
    let again = bureau.run(true).await;
    assert!(again.found_nothing(), "{name}: {}", shown(&again.drifts));
}

#[tokio::test]
async fn a_refund_that_failed_gives_back_what_was_taken_when_it_is_told() {
    let (bureau, happened) = bureau().await;
    let (before, mut refund) = (bureau.desk.ada().await, object(&happened, "refund", |_| true));
    refund["status"] = json!("failed");
    bureau.happened(&[], std::slice::from_ref(&refund)).await;
    mended(&bureau, "failed", ["1000 usd did not go back after all", "1000 usd went back"]).await;
    let after = bureau.desk.ada().await;
    assert!(after > before, "{after}");
    // It failed for good.
    refund["status"] = json!("succeeded");
    bureau.happened(&[], &[refund]).await;
    let drift = only(&bureau.run(true).await, "succeeded");
    assert_eq!(
        [drift.stripe_says, drift.ledger_says],
        ["1000 usd went back", "1000 usd did not go back after all"]
    );
    assert_eq!((drift.cause, drift.repaired), (UntoldCause::Kept { because: StoredFigures::End }, false));
    assert_eq!(bureau.desk.ada().await, after);
}

/// The ledger knows a total of 10.00 since then, which cannot count a refund of 15.00.
#[tokio::test]
async fn a_refund_that_is_more_than_the_total_that_was_told_is_reported() {
    let bureau = Bureau::open(Timestamp::parse("2025-06-26T00:00:00Z").unwrap()).await;
    let told = ["customer.created.json", "checkout.session.completed.topup.json", "charge.refunded.json"];
    bureau.desk.tell(&told).await;
    let mut refund = value(SHAPES[1], "refund.created.json")["data"]["object"].clone();
    bureau.happened(&told.map(|file| value(SHAPES[1], file)), std::slice::from_ref(&refund)).await;
    assert!(bureau.run(false).await.found_nothing(), "the total counts it");
    let before = bureau.desk.ada().await;
    refund["amount"] = json!(1_500);
    bureau.happened(&[], &[refund]).await;
    mended(&bureau, "total", ["1500 usd went back", "1000 usd went back in all"]).await;
    assert_eq!(bureau.desk.ada().await, before - 500);
}

/// What was told after an object was read says more than the object.
#[tokio::test]
async fn a_refund_that_fails_while_it_is_compared_is_no_difference() {
    let (bureau, happened) = bureau().await;
    let refund = object(&happened, "refund", |_| true);
    bureau.happened(&[], std::slice::from_ref(&refund)).await;
    let mut failed = refund;
    failed["status"] = json!("failed");
    let created = bureau.desk.clock().now().seconds() + 5;
    let event = json!({
        "id": "evt_failed", "object": "event", "type": "refund.failed", "created": created, "livemode": false,
        "data": { "object": failed },
    });
    bureau.desk.take(&event).await;
    bureau.desk.work().await;
    let same = bureau.run(false).await;
    assert!(same.found_nothing(), "{}", shown(&same.drifts));
    bureau.desk.pass(10);
    assert_eq!(bureau.run(false).await.remaining(), 1, "and from then on it is one");
}

/// A payment that the ledger does not know, and one that is known by its invoice only.
#[tokio::test]
async fn a_payment_of_a_pack_that_was_never_told_is_found_and_granted() {
    let (bureau, happened) = bureau().await;
    let before = bureau.desk.ada().await;
    let mut payment = object(&happened, "payment_intent", |payment| payment["id"] == OF_SESSION);
    (payment["id"], payment["latest_charge"]) = (json!("pi_another"), json!("ch_another"));
    payment["metadata"]["quantity"] = json!("1");
    bureau.happened(&[], &[payment]).await;
    mended(&bureau, "payment", ["1 × pack_2000 for 2000 usd", "nothing"]).await;
    assert_eq!(bureau.desk.ada().await, before + 2_000);
}

/// Of what is otherwise in two ways, one can be told: that is, and the other one stays.
#[tokio::test]
async fn what_can_be_told_is_and_what_is_kept_stays_reported() {
    let (bureau, happened) = bureau().await;
    let mut invoice = object(&happened, "invoice", |invoice| invoice["id"] == RENEWED);
    (invoice["payment_intent"], invoice["total"]) = (json!("pi_another"), json!(2_499));
    bureau.happened(&[], &[invoice]).await;
    let found = only(&bureau.run(false).await, "both");
    assert_eq!(found.stripe_says, format!("pi_another paid {RENEWED}; total 2499"));
    assert_eq!((found.ledger_says.as_str(), &found.cause), ("nothing; total 1999", &UntoldCause::NoEvent));
    let left = only(&bureau.run(true).await, "one");
    assert_eq!((left.stripe_says.as_str(), left.repaired), ("total 2499", false));
    assert_eq!(left.cause, UntoldCause::Kept { because: StoredFigures::Amount });
    assert_eq!(only(&bureau.run(true).await, "the same one"), left);
}

#[tokio::test]
async fn which_payment_paid_an_invoice_is_told_where_that_was_lost() {
    let (bureau, happened) = bureau().await;
    let mut link = object(&happened, "invoice_payment", |_| true);
    (link["id"], link["invoice"]) = (json!("inpay_another"), json!(RENEWED));
    link["amount_paid"] = json!(1_999);
    link["payment"]["payment_intent"] = json!("pi_another");
    bureau.happened(&[], &[link]).await;
    mended(&bureau, "link", ["pi_another paid in_1QLedgerAda00000000000A3", "nothing"]).await;
}
