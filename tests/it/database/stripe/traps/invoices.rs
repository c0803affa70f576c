//! What was paid for, and what was not.

use counterfoil::{
    domain::{
        command::{Command, PurchaseCommand, RecordPaidInvoice, SubscriptionCommand},
        invoice::{InvoiceState, LineEffect},
        time::Timestamp,
    },
    stripe::{
        documents::envelope::Envelope,
        inbound::inbox::InboxState,
        translate::{SetAside, translate},
    },
};
use serde_json::{Value, json};

use super::{SHAPES, changed, desk_at, translated_value, value};
use crate::support::documents::{catalog, event, here, translated};

fn paid(event: &Value) -> RecordPaidInvoice {
    let steps = translated_value(event).unwrap().steps;
    let paid = steps.into_iter().find_map(|step| match step.command {
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) => Some(paid),
        _ => None,
    });
    paid.expect("an invoice was paid")
}

#[test]
fn trap_14_the_price_says_the_plan_and_not_the_metadata() {
    for shape in SHAPES {
        let document = value(shape, "customer.subscription.updated.plan_downgrade.json");
        assert_eq!(document["data"]["object"]["metadata"]["plan_code"], "creator");
        let steps = translated_value(&document).unwrap().steps;
        let Command::Subscription(SubscriptionCommand::RecordSubscription(report)) =
            &steps.last().unwrap().command
        else {
            panic!()
        };
        assert_eq!(report.terms.plan.as_str(), "basic");
    }
}

#[test]
fn trap_15_two_names_of_a_paid_invoice_have_one_key() {
    let keys = |kind: &str| {
        let file = format!("invoice.{kind}.subscription_cycle.json");
        translated(SHAPES[1], &file).unwrap().steps.last().unwrap().key.clone()
    };
    assert_eq!(keys("paid"), keys("payment_succeeded"));
    let outside = changed("invoice.paid.subscription_cycle.json", "evt_cash", |invoice| {
        invoice["paid_out_of_band"] = json!(true);
        invoice["amount_paid"] = json!(0);
    });
    assert_eq!((paid(&outside).lines.len(), paid(&outside).money.minor), (1, 1_999));
}

#[test]
fn trap_16_the_period_is_the_lines_and_not_the_invoices() {
    let document = value(SHAPES[1], "invoice.paid.subscription_cycle.json");
    let period = paid(&document).lines[0].period;
    assert_eq!(period.start.to_string(), "2025-07-01T10:05:00Z");
    let invoice = &document["data"]["object"];
    assert_ne!(invoice["period_start"], period.start.seconds());
}

#[test]
fn trap_17_an_invoice_of_nothing_is_read_by_its_lines() {
    let trial = translated(SHAPES[1], "invoice.paid.trial_zero.json");
    assert!(matches!(trial, Err(SetAside::Ignored(_))));
    let discounted = value("edge", "zero_total_full_discount.json");
    assert_eq!((paid(&discounted).money.minor, paid(&discounted).lines.len()), (0, 1));
    let balance = changed("invoice.paid.subscription_cycle.json", "evt_balance", |invoice| {
        invoice["amount_paid"] = json!(0);
        invoice["starting_balance"] = json!(-1_999);
    });
    assert_eq!((paid(&balance).money.minor, paid(&balance).lines.len()), (0, 1));
}

/// A coupon of 100 percent makes both prorations 0: what one gives back is said by what it names, in each shape.
#[test]
fn trap_17_a_line_of_nothing_that_names_what_it_credits_is_a_credit() {
    for (shape, named) in SHAPES.into_iter().zip(["", "/parent/invoice_item_details"]) {
        let mut event = value(shape, "invoice.paid.subscription_update.json");
        let invoice = &mut event["data"]["object"];
        (invoice["total"], invoice["amount_paid"]) = (json!(0), json!(0));
        for line in invoice["lines"]["data"].as_array_mut().unwrap() {
            line["amount"] = json!(0);
        }
        let credited =
            invoice["lines"]["data"][0].pointer(&format!("{named}/proration_details/credited_items"));
        assert!(credited.is_some_and(Value::is_object), "{shape}: {invoice:#}");
        let effects: Vec<LineEffect> = paid(&event).lines.iter().map(|line| line.effect).collect();
        assert_eq!(effects, [LineEffect::Credit, LineEffect::Nothing], "{shape}");
    }
}

#[tokio::test]
async fn trap_18_a_change_of_plan_is_never_a_full_month() {
    let desk = desk_at("2025-06-12T00:00:00Z").await;
    desk.tell(&["invoice.paid.subscription_create.json", "invoice.paid.subscription_update.json"]).await;
    assert_eq!(desk.ada().await, 50 + 500 + 666);
}

#[tokio::test]
async fn trap_19_proration_that_waits_for_the_next_invoice_grants_its_period_once() {
    let desk = desk_at("2025-07-02T00:00:00Z").await;
    let update = value(SHAPES[1], "invoice.paid.subscription_update.json");
    let prorations = update["data"]["object"]["lines"]["data"].as_array().unwrap().clone();
    let both = changed("invoice.paid.subscription_cycle.json", "evt_both", |invoice| {
        let lines = invoice["lines"]["data"].as_array_mut().unwrap();
        lines.extend(prorations);
        invoice["lines"]["total_count"] = json!(3);
    });
    desk.tell(&["invoice.paid.subscription_create.json"]).await;
    desk.take(&both).await;
    desk.work().await;
    // July, and what was carried of June: its 500, and the 666 that the change gave, late.
    assert_eq!(desk.ada().await, 50 + 1_500 + 500 + 666);
}

/// Nothing is granted on a part. Once somebody fetches the rest, the event is read as if it had come whole.
#[tokio::test]
async fn trap_20_more_than_ten_lines_wait_for_the_rest() {
    let desk = desk_at("2025-06-02T00:00:00Z").await;
    let file = "invoice_lines_truncated.json";
    let truncated = desk.take_file("edge", file).await;
    desk.work().await;
    assert_eq!(desk.state(&truncated).await, InboxState::Waiting);
    let part: Envelope = event("edge", file);
    assert!(matches!(translate(&part, &catalog(), &here()), Err(SetAside::Incomplete(_))));
    let lines = value("edge", file)["data"]["object"]["lines"]["data"].as_array().unwrap().clone();
    assert!(translate(&part.with_lines(lines), &catalog(), &here()).is_ok());
}

#[tokio::test]
async fn trap_21_a_new_period_gives_nothing_before_it_is_paid() {
    let desk = desk_at("2025-07-01T12:00:00Z").await;
    desk.tell(&["customer.subscription.updated.renewal.json", "invoice.created.json"]).await;
    assert_eq!(desk.ada().await, 50);
    desk.tell(&["invoice.paid.subscription_cycle.json"]).await;
    assert_eq!(desk.ada().await, 1_550);
}

#[tokio::test]
async fn trap_22_a_period_that_is_paid_late_keeps_its_own_end() {
    let desk = desk_at("2025-08-05T12:00:00Z").await;
    desk.tell(&["customer.subscription.updated.past_due.json", "invoice.payment_failed.json"]).await;
    assert_eq!(desk.ada().await, 50);
    desk.tell(&["invoice.paid.recovered.json"]).await;
    assert_eq!(desk.ada().await, 550);
    desk.clock().set(counterfoil::domain::time::Timestamp::parse("2025-09-01T10:05:00Z").unwrap());
    assert_eq!(desk.ada().await, 50);
}

#[test]
fn trap_32_an_upcoming_invoice_has_no_id() {
    let mut upcoming = value(SHAPES[0], "invoice.upcoming.json");
    upcoming["data"]["object"].as_object_mut().unwrap().remove("id");
    assert!(matches!(translated_value(&upcoming), Err(SetAside::Ignored(_))));
}

/// Paid for twelve months, and granted month by month.
#[tokio::test]
async fn a_yearly_plan_gives_its_credits_each_month() {
    let year = changed("invoice.paid.subscription_create.json", "evt_year", |invoice| {
        let line = &mut invoice["lines"]["data"][0];
        line["period"]["end"] = json!(1_780_308_300); // 2026-06-01T10:05:00Z
        line["amount"] = json!(9_990);
    });
    let desk = desk_at("2025-06-02T00:00:00Z").await;
    desk.take(&year).await;
    desk.work().await;
    assert_eq!(desk.ada().await, 550);
    desk.clock().set(counterfoil::domain::time::Timestamp::parse("2025-08-02T00:00:00Z").unwrap());
    desk.tell(&["checkout.session.expired.json"]).await;
    // August, and what is carried of July; nothing more than twice the allocation.
    assert_eq!(desk.ada().await, 50 + 1_000);
}

#[test]
fn several_seats_give_as_many_times_the_credits() {
    let seats = changed("invoice.paid.subscription_create.json", "evt_seats", |invoice| {
        invoice["lines"]["data"][0]["quantity"] = json!(3);
    });
    assert_eq!(paid(&seats).lines[0].quantity, 3);
}

#[test]
fn an_invoice_that_was_voided_or_given_up_says_for_which_period_no_money_will_come() {
    let kinds = [("voided", InvoiceState::Void), ("marked_uncollectible", InvoiceState::Uncollectible)];
    for (kind, state) in kinds {
        let mut document = value(SHAPES[1], "invoice.payment_failed.json");
        document["type"] = format!("invoice.{kind}").into();
        let object = &mut document["data"]["object"];
        (object["starting_balance"], object["ending_balance"]) = (json!(-700), json!(-200));
        object["status_transitions"]["finalized_at"] = json!(1_795_000_000);
        let instructions = translated_value(&document).unwrap();
        let Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, .. }) =
            &instructions.steps.last().unwrap().command
        else {
            panic!("{kind}")
        };
        assert_eq!((invoice.state, invoice.charges.len()), (state, 1));
        let finalized_at = invoice.finalized_at.map(Timestamp::seconds);
        assert_eq!((invoice.from_balance, finalized_at), (500, Some(1_795_000_000)));
    }
}
