//! Awkward documents: what does each mean? Nothing is started for it; where each ends in the inbox is in
//! `database/stripe/dead_letters.rs`, and what callers see of some of them in `server/story/awkward.rs`.

use std::collections::BTreeSet;

use counterfoil::{
    domain::{
        command::{Command, CustomerCommand, PurchaseCommand},
        invoice::LineEffect,
    },
    stripe::{
        Deployment, StripeMode,
        documents::envelope::{Envelope, Unparsable},
        translate::{OwnerLookup, SetAside, translate},
    },
};
use serde_json::{Value, json};

use crate::support::documents::{
    ADA, SHAPES, catalog, event, here, read, translated, translated_value, value,
};

fn edge(file: &str) -> Result<counterfoil::stripe::translate::Instructions, SetAside> {
    translated("edge", file)
}

/// The periods that an invoice pays for, and its money.
fn paid(file: &str) -> (usize, i64) {
    let instructions = edge(file).unwrap();
    let Command::Purchase(PurchaseCommand::RecordPaidInvoice(invoice)) =
        &instructions.steps.last().unwrap().command
    else {
        panic!()
    };
    (invoice.lines.len(), invoice.money.minor)
}

#[test]
fn an_unknown_type_is_ignored() {
    assert!(matches!(edge("unknown_type.json"), Err(SetAside::Ignored(_))));
}

#[test]
fn an_unknown_status_is_held_and_never_guessed() {
    let Err(SetAside::NeedsReview(because)) = edge("unknown_enum_status.json") else { panic!() };
    assert!(because.contains("`hibernating`"), "{because}");
}

#[test]
fn unknown_fields_change_nothing() {
    assert_eq!(paid("extra_fields.json"), (1, 999));
}

#[test]
fn a_live_event_is_not_ours_on_a_test_deployment() {
    let Err(SetAside::Quarantined(because)) = edge("livemode_true.json") else { panic!() };
    assert!(because.contains("a live event on a test deployment"), "{because}");
    let live = Deployment::new(StripeMode::Live);
    assert!(translate(&event("edge", "livemode_true.json"), &catalog(), &live).is_ok());
    let test_event = event("edge", "extra_fields.json");
    assert!(matches!(translate(&test_event, &catalog(), &live), Err(SetAside::Quarantined(_))));
}

#[test]
fn a_connected_account_is_ours_only_if_it_is_configured() {
    let Err(SetAside::Quarantined(because)) = edge("connect_account.json") else { panic!() };
    assert!(because.contains("connected account"), "{because}");
    let accounts = BTreeSet::from(["acct_1QConnected000001".to_owned()]);
    let deployment = Deployment { connect_accounts: accounts, ..here() };
    assert!(translate(&event("edge", "connect_account.json"), &catalog(), &deployment).is_ok());
}

#[test]
fn an_expanded_customer_is_as_good_as_its_id() {
    let plain = translated(SHAPES[1], "invoice.paid.subscription_create.json").unwrap();
    let expanded = edge("expanded_customer.json").unwrap();
    assert_eq!(expanded.owner, plain.owner);
    assert_eq!(expanded.steps.last(), plain.steps.last());
}

/// The metadata of its lines names an account, and must not be believed.
#[test]
fn an_unknown_customer_leads_to_no_account() {
    let instructions = edge("unknown_customer.json").unwrap();
    assert!(
        matches!(instructions.owner, OwnerLookup::Customer(customer) if customer.as_str() == "cus_NobodyKnows0001")
    );
}

#[test]
fn hostile_metadata_names_no_account() {
    let instructions = edge("hostile_metadata.json").unwrap();
    assert!(
        matches!(instructions.owner, OwnerLookup::Customer(customer) if customer.as_str() == "cus_QLedgerAda0001")
    );
}

#[test]
fn money_beyond_what_a_float_holds_is_exact() {
    assert_eq!(paid("amount_above_2_53.json").1, 9_007_199_254_740_993);
}

#[test]
fn another_body_under_one_id_gives_the_same_commands() {
    let first = translated(SHAPES[1], "invoice.paid.subscription_create.json").unwrap();
    assert_eq!(edge("same_event_id_other_bytes.json").unwrap(), first);
}

#[test]
fn a_full_discount_pays_for_the_period_and_costs_nothing() {
    assert_eq!(paid("zero_total_full_discount.json"), (1, 0));
    let instructions = edge("zero_total_full_discount.json").unwrap();
    let Command::Purchase(PurchaseCommand::RecordPaidInvoice(invoice)) =
        &instructions.steps.last().unwrap().command
    else {
        panic!()
    };
    assert_eq!(invoice.lines[0].cost.minor, 0);
    assert_eq!(invoice.lines[0].plan.as_str(), "creator");
}

#[test]
fn an_invoice_with_more_lines_than_the_event_is_incomplete() {
    let Err(SetAside::Incomplete(because)) = edge("invoice_lines_truncated.json") else { panic!() };
    assert!(because.contains("10"), "{because}");
}

#[test]
fn a_truncated_body_is_no_event() {
    assert!(matches!(Envelope::parse(&read("edge", "not_json.txt")), Err(Unparsable::NotJson(_))));
}

#[test]
fn a_thin_event_is_set_aside() {
    let thin = json!({
        "id": "evt_thin", "object": "v2.core.event", "type": "v1.invoice.paid", "livemode": false,
        "created": "2026-09-30T10:00:00.000Z", "related_object": {"id": "in_1", "type": "invoice"}
    });
    assert!(matches!(translated_value(&thin), Err(SetAside::Quarantined(_))));
}

/// As simple tools send them: no request, no pending webhooks, no API version.
#[test]
fn an_event_with_the_least_that_an_event_can_have_is_read() {
    let mut event = value(SHAPES[0], "customer.created.json");
    for field in ["request", "pending_webhooks", "api_version"] {
        event.as_object_mut().unwrap().remove(field);
    }
    let instructions = translated_value(&event).unwrap();
    assert!(matches!(instructions.owner, OwnerLookup::Account { account, .. } if account.as_str() == ADA));
}

#[test]
fn a_price_that_the_catalog_does_not_have_gives_no_plan_and_is_named() {
    let mut event = value(SHAPES[1], "customer.subscription.updated.renewal.json");
    event["data"]["object"]["items"]["data"][0]["price"]["id"] = "price_unheard_of".into();
    let because = translated_value(&event).unwrap().about.unwrap().unpriced.unwrap();
    assert!(because.contains("price_unheard_of"), "{because}");
}

#[test]
fn a_pack_at_another_price_or_in_another_currency_is_held() {
    let mut event = value(SHAPES[1], "checkout.session.completed.topup.json");
    event["data"]["object"]["amount_subtotal"] = 1999.into();
    assert!(matches!(translated_value(&event), Err(SetAside::Incomplete(_))), "its items will say how many");
    // Where nobody can be asked for them.
    event["data"]["object"]["line_items"] = json!({ "data": [] });
    assert!(matches!(translated_value(&event), Err(SetAside::NeedsReview(_))));
    event["data"]["object"]["amount_subtotal"] = 2000.into();
    event["data"]["object"]["currency"] = "eur".into();
    assert!(matches!(translated_value(&event), Err(SetAside::NeedsReview(_))));
}

#[test]
fn several_packs_in_one_checkout_are_counted() {
    let mut event = value(SHAPES[1], "checkout.session.completed.topup.json");
    event["data"]["object"]["amount_subtotal"] = 6000.into();
    event["data"]["object"]["amount_total"] = 5400.into();
    let instructions = translated_value(&event).unwrap();
    let Command::Purchase(PurchaseCommand::RecordPackPurchase(purchase)) =
        &instructions.steps.last().unwrap().command
    else {
        panic!()
    };
    assert_eq!((purchase.quantity, purchase.money.minor), (3, 5400));
}

#[test]
fn a_balance_or_money_outside_of_stripe_pays_for_the_period() {
    let mut event = value(SHAPES[0], "invoice.paid.subscription_cycle.json");
    event["data"]["object"]["amount_paid"] = 0.into();
    event["data"]["object"]["starting_balance"] = (-1999).into();
    let money_and_periods = |event: &serde_json::Value| {
        let instructions = translated_value(event).unwrap();
        let Command::Purchase(PurchaseCommand::RecordPaidInvoice(invoice)) =
            instructions.steps.last().unwrap().command.clone()
        else {
            panic!()
        };
        (invoice.money.minor, invoice.lines.len())
    };
    assert_eq!(money_and_periods(&event), (0, 1));
    event["data"]["object"]["paid_out_of_band"] = true.into();
    assert_eq!(money_and_periods(&event), (1999, 1));
}

/// `create_prorations`: the changes of the last period are on the invoice of the next.
#[test]
fn a_cycle_invoice_with_prorations_has_both() {
    let mut event = value(SHAPES[1], "invoice.paid.subscription_cycle.json");
    let update = value(SHAPES[1], "invoice.paid.subscription_update.json");
    let prorations = update["data"]["object"]["lines"]["data"].as_array().unwrap().clone();
    let lines = event["data"]["object"]["lines"]["data"].as_array_mut().unwrap();
    lines.extend(prorations);
    event["data"]["object"]["lines"]["total_count"] = 3.into();
    let instructions = translated_value(&event).unwrap();
    let Command::Purchase(PurchaseCommand::RecordPaidInvoice(invoice)) =
        &instructions.steps.last().unwrap().command
    else {
        panic!()
    };
    let effects: Vec<_> = invoice.lines.iter().map(|line| (line.effect, line.plan.as_str())).collect();
    assert_eq!(
        effects,
        [(LineEffect::Charge, "creator"), (LineEffect::Credit, "basic"), (LineEffect::Charge, "creator"),]
    );
}

/// Money for a pack must never be dropped silently.
#[test]
fn a_paid_checkout_that_names_nobody_is_held() {
    let mut event = value(SHAPES[1], "checkout.session.completed.topup.json");
    let session = &mut event["data"]["object"];
    session["customer"] = serde_json::Value::Null;
    session["client_reference_id"] = serde_json::Value::Null;
    session["metadata"].as_object_mut().unwrap().remove("account_id");
    assert!(matches!(translated_value(&event), Err(SetAside::NeedsReview(_))));
}

/// Whoever opens a payment link writes into its address for whom they buy.
#[test]
fn what_only_a_buyer_says_is_for_whom_they_paid_and_nothing_else() {
    let owner = |file: &str, change: &[(&str, Value)]| {
        let mut event = value(SHAPES[1], file);
        let session = &mut event["data"]["object"];
        session["metadata"].as_object_mut().unwrap().remove("account_id");
        for (name, value) in change {
            session[*name] = value.clone();
        }
        translated_value(&event)
    };
    let nobody = ("customer", Value::Null);
    for file in ["checkout.session.completed.topup.json", "checkout.session.async_payment_succeeded.json"] {
        let told = owner(file, &[]).unwrap();
        assert!(
            matches!(&told.owner, OwnerLookup::Account { account, customer: None } if account.as_str() == ADA),
            "{file}"
        );
        for step in &told.steps {
            match &step.command {
                Command::Customer(CustomerCommand::LinkCustomer { .. }) => panic!("{file}"),
                Command::Purchase(PurchaseCommand::RecordCheckout(checkout)) => {
                    assert_eq!(checkout.customer, None)
                }
                _ => {}
            }
        }
    }
    for file in [
        "checkout.session.expired.json",
        "checkout.session.completed.subscription.json",
        "checkout.session.completed.topup_async_unpaid.json",
        "checkout.session.async_payment_failed.json",
    ] {
        let told = owner(file, &[("customer", json!("cus_stranger"))]).unwrap();
        assert!(matches!(told.owner, OwnerLookup::Customer(_)), "{file}: {:?}", told.owner);
    }
    for file in ["checkout.session.expired.json", "checkout.session.async_payment_failed.json"] {
        let told = owner(file, std::slice::from_ref(&nobody));
        assert!(matches!(told, Err(SetAside::Ignored(_))), "{file}: {told:?}");
    }
}

/// Each month of it would be granted.
#[test]
fn a_line_for_longer_than_any_price_is_held() {
    let mut event = value(SHAPES[1], "invoice.paid.subscription_create.json");
    let period = &mut event["data"]["object"]["lines"]["data"][0]["period"];
    let end = period["start"].as_i64().unwrap() + 37 * 31 * 86_400;
    period["end"] = json!(end);
    let Err(SetAside::NeedsReview(because)) = translated_value(&event) else { panic!() };
    assert!(because.contains("36 at most"), "{because}");
}

#[test]
fn money_with_a_sign_is_held() {
    let mut event = value(SHAPES[1], "checkout.session.completed.topup.json");
    event["data"]["object"]["amount_total"] = json!(-1);
    assert!(matches!(translated_value(&event), Err(SetAside::NeedsReview(_))));
}
