//! Amounts that the ledger was told otherwise than Stripe has them, one at a time.

use counterfoil::stripe::inbound::reconcile::StoredFigures;
use serde_json::{Value, json};

pub(super) const CREATED: &str = "in_1QLedgerAda00000000000A1";
pub(super) const RENEWED: &str = "in_1QLedgerAda00000000000A3";
pub(super) const LINK: &str = "inpay_1QLedgerAda0000000001";
pub(super) const SESSION: &str = "cs_test_b1LedgerAdaTop0000000000000000000000000000000000001";
pub(super) const OF_INVOICE: &str = "pi_3QLedgerAda00000000000A1";
pub(super) const OF_SESSION: &str = "pi_3QLedgerAda00000000000T1";
pub(super) const REFUND: &str = "re_3QLedgerAda00000000000R1";
const DISPUTE: &str = "du_1QLedgerAda00000000000D1";

/// What Stripe says of an object otherwise.
pub(super) struct Plant {
    pub(super) object: &'static str,
    pub(super) name: &'static str,
    pub(super) plant: fn(&mut Value),
    pub(super) stripe_says: &'static str,
    pub(super) ledger_says: &'static str,
    pub(super) kept: StoredFigures,
}

pub(super) const fn plant(
    object: &'static str,
    name: &'static str,
    plant: fn(&mut Value),
    says: [&'static str; 2],
    kept: StoredFigures,
) -> Plant {
    Plant { object, name, plant, stripe_says: says[0], ledger_says: says[1], kept }
}

/// What the ledger was told otherwise, and keeps.
pub(super) const KEPT: [Plant; 28] = [
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
pub(super) const OF_A_DISPUTE: [Plant; 4] = [
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
