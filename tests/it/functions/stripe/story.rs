//! Each document of the story, in both shapes: what does it mean? Nothing is started for it; what the server does with
//! each is in `server/story/lines.rs`.

use counterfoil::{
    domain::{
        command::{Command, PaymentCommand, SubscriptionChange, SubscriptionCommand},
        reported_details::{Every, EveryUnit, ReportedDetails},
        subscription::SubscriptionStatus,
    },
    stripe::translate::SetAside,
};

use super::words::meaning;
use crate::support::documents::{SHAPES, event, plan, story, translated};

const LINK_ADA: &str = "Ada: link cus_QLedgerAda0001";
const LINK_BOB: &str = "Bob: link cus_QLedgerBob0002";

/// What each document means, where it is more than nothing.
fn expected(shape: &str, file: &str) -> String {
    let ada = |words: &str| format!("{LINK_ADA}; {words}");
    let bob = |words: &str| format!("{LINK_BOB}; {words}");
    match file.strip_suffix(".json").unwrap() {
        "customer.created" | "customer.updated" => LINK_ADA.to_owned(),
        "customer.created.bob" => LINK_BOB.to_owned(),
        "customer.deleted" => "Ada: unlink cus_QLedgerAda0001".to_owned(),
        // In the older shape the subscription is incomplete until its first payment.
        "customer.subscription.created" if shape == "2024-04-10" => "ignored".to_owned(),
        "customer.subscription.created" | "customer.subscription.updated.activated" => {
            ada("Started Active basic x1 999 06-01..07-01")
        }
        "customer.subscription.created.trialing" => bob("TrialStarted Trialing team x1 2999 06-03..06-17"),
        "customer.subscription.paused" => bob("Paused Paused team x1 2999 06-17..07-17"),
        "customer.subscription.resumed" => bob("Resumed Active team x1 2999 06-19..07-19"),
        "customer.subscription.updated.cancel_scheduled.bob" => {
            bob("CancellationScheduled Active team x1 2999 06-19..07-19 until 07-19")
        }
        "customer.subscription.deleted.bob" => {
            bob("Ended Cancelled team x1 2999 06-19..07-19 until 07-19 ended 07-19")
        }
        "customer.subscription.updated.plan_upgrade" => {
            ada("PlanChanged { from: Some(PlanId(\"basic\")) } Active creator x1 1999 06-01..07-01")
        }
        "customer.subscription.updated.renewal" => ada("Renewed Active creator x1 1999 07-01..08-01"),
        // The metadata still says creator here; the price says basic.
        "customer.subscription.updated.plan_downgrade" => {
            ada("PlanChanged { from: Some(PlanId(\"creator\")) } Active basic x1 999 08-01..09-01")
        }
        "customer.subscription.updated.past_due" => ada("PastDue PastDue basic x1 999 08-01..09-01"),
        "customer.subscription.updated.recovered" => ada("Recovered Active basic x1 999 08-01..09-01"),
        "customer.subscription.updated.pause_collection" => {
            ada("Paused Active basic x1 999 08-01..09-01 uncollected")
        }
        "customer.subscription.updated.pause_collection_cleared" => {
            ada("Resumed Active basic x1 999 08-01..09-01")
        }
        "customer.subscription.updated.cancel_at_period_end" => {
            ada("CancellationScheduled Active basic x1 999 08-01..09-01 until 09-01")
        }
        "customer.subscription.deleted" => {
            ada("Ended Cancelled basic x1 999 08-01..09-01 until 09-01 ended 09-01")
        }
        "invoice.paid.subscription_create" | "invoice.payment_succeeded.subscription_create" => {
            ada("paid 999: basic x1 06-01..07-01 for 999")
        }
        "invoice.paid.subscription_update" | "invoice.payment_succeeded.subscription_update" => {
            ada("paid 667: less basic x1 06-11..07-01 for -666: creator x1 06-11..07-01 for 1333")
        }
        "invoice.paid.subscription_cycle" | "invoice.payment_succeeded.subscription_cycle" => {
            ada("paid 1999: creator x1 07-01..08-01 for 1999")
        }
        "invoice.paid.recovered" | "invoice.payment_succeeded.recovered" => {
            ada("paid 999: basic x1 08-01..09-01 for 999")
        }
        "invoice.paid.after_trial" | "invoice.payment_succeeded.after_trial" => {
            bob("paid 2999: team x1 06-19..07-19 for 2999")
        }
        "invoice.finalized" => ada("unpaid Open: creator 07-01..08-01"),
        "invoice.payment_failed" => ada("failed 999 of basic attempt 1; unpaid Failed: basic 08-01..09-01"),
        "invoice.payment_action_required" => ada("action 999"),
        "checkout.session.completed.subscription" => ada("checkout Completed { paid: true } of basic"),
        "checkout.session.completed.topup" => {
            ada("checkout Completed { paid: true } of pack_2000 x1; pack pack_2000 x1 for 2000")
        }
        "checkout.session.completed.topup_2" => {
            ada("checkout Completed { paid: true } of pack_5500 x1; pack pack_5500 x1 for 5000")
        }
        "checkout.session.completed.topup_async_unpaid" => {
            ada("checkout Completed { paid: false } of pack_2000 x1")
        }
        "checkout.session.async_payment_succeeded" => {
            ada("checkout Completed { paid: true } of pack_2000 x1; pack pack_2000 x1 for 2000")
        }
        "checkout.session.async_payment_failed" => ada("failed 2000 of pack_2000 x1 attempt 1"),
        "checkout.session.expired" => ada("checkout Expired of pack_2000 x1"),
        "payment_intent.payment_failed" => ada("failed 2000 of pack_2000 x1 attempt 1"),
        "customer.subscription.trial_will_end" => bob("trial ends 06-17"),
        "charge.refunded" => "pi_3QLedgerAda00000000000T1: refunded 1000 of 2000 in all".to_owned(),
        "charge.refunded.rest" => "pi_3QLedgerAda00000000000T1: refunded 2000 of 2000 in all".to_owned(),
        "refund.created" => {
            "pi_3QLedgerAda00000000000T1: refunded 1000 by re_3QLedgerAda00000000000R1".to_owned()
        }
        "charge.dispute.created" | "charge.dispute.funds_withdrawn" => {
            "pi_3QLedgerAda00000000000T2: disputed 5000".to_owned()
        }
        "charge.dispute.closed" => "pi_3QLedgerAda00000000000T2: dispute lost".to_owned(),
        "invoice_payment.paid" => "in_1QLedgerAda00000000000A1: pi_3QLedgerAda00000000000A1 paid \
                                   in_1QLedgerAda00000000000A1"
            .to_owned(),
        _ => "ignored".to_owned(),
    }
}

#[test]
fn each_document_means_what_happened_in_both_shapes() {
    for shape in SHAPES {
        let files = story(shape);
        assert!(files.len() > 70, "{shape}: the manifest was read");
        for file in files {
            assert_eq!(meaning(shape, &file), expected(shape, &file), "{shape}/{file}");
        }
    }
}

#[test]
fn both_shapes_of_a_happening_give_the_same_commands() {
    let other = story(SHAPES[1]);
    for file in story(SHAPES[0]).iter().filter(|file| other.contains(*file)) {
        if file != "customer.subscription.created.json" {
            let commands = |shape| {
                let mut translation = translated(shape, file);
                if let Ok(instructions) = &mut translation {
                    let is_link = |command: &Command| {
                        matches!(command, Command::Payment(PaymentCommand::LinkPayment { .. }))
                    };
                    instructions.steps.retain(|step| !is_link(&step.command));
                }
                translation
            };
            // An event of its own says in the newer shape how an invoice was paid.
            if file != "invoice_payment.paid.json" {
                assert_eq!(commands(SHAPES[0]), commands(SHAPES[1]), "{file}");
            }
        }
    }
}

#[test]
fn the_two_events_of_a_paid_invoice_have_one_key_and_one_command() {
    for shape in SHAPES {
        for of in ["subscription_create", "subscription_update", "subscription_cycle", "recovered"] {
            let step = |kind: &str| {
                let instructions = translated(shape, &format!("invoice.{kind}.{of}.json")).unwrap();
                instructions.steps.into_iter().find(|step| step.key.starts_with("invoice_paid:")).unwrap()
            };
            assert_eq!(step("paid"), step("payment_succeeded"), "{shape} {of}");
        }
    }
}

#[test]
fn a_pack_is_known_by_its_payment() {
    for shape in SHAPES {
        let instructions = translated(shape, "checkout.session.completed.topup.json").unwrap();
        assert_eq!(instructions.steps.last().unwrap().key, "pack:pi_3QLedgerAda00000000000T1");
    }
}

#[test]
fn an_unfinished_subscription_says_so_when_it_ends() {
    let mut value = crate::support::documents::value(SHAPES[1], "customer.subscription.deleted.json");
    value["data"]["object"]["status"] = "incomplete_expired".into();
    assert!(matches!(crate::support::documents::translated_value(&value), Err(SetAside::Ignored(_))));
}

#[test]
fn a_report_stands_where_its_event_says() {
    let instructions = translated(SHAPES[1], "customer.subscription.deleted.json").unwrap();
    let Command::Subscription(SubscriptionCommand::RecordSubscription(report)) =
        &instructions.steps.last().unwrap().command
    else {
        panic!()
    };
    let event = event(SHAPES[1], "customer.subscription.deleted.json");
    assert_eq!(report.terms.evidence.reported_at, event.created);
    assert_eq!(report.terms.evidence.rank, 2);
    assert_eq!(report.terms.evidence.id, event.id);
    assert_eq!(report.terms.status, SubscriptionStatus::Cancelled);
    assert_eq!(report.change, SubscriptionChange::Ended);
    assert_eq!(report.terms.plan, plan("basic"));
}

/// A trial that is extended, and nothing else: the report must not be lost.
#[test]
fn a_trial_that_is_extended_is_reported_with_its_new_end() {
    for shape in SHAPES {
        let mut value =
            crate::support::documents::value(shape, "customer.subscription.created.trialing.json");
        value["type"] = "customer.subscription.updated".into();
        value["data"]["object"]["trial_end"] = 1_750_500_000.into();
        value["data"]["previous_attributes"] = serde_json::json!({"trial_end": 1_750_147_200});
        let instructions = crate::support::documents::translated_value(&value).unwrap();
        let Command::Subscription(SubscriptionCommand::RecordSubscription(report)) =
            &instructions.steps.last().unwrap().command
        else {
            panic!()
        };
        assert_eq!(report.change, SubscriptionChange::TrialStarted);
        assert_eq!(report.terms.trial_end.unwrap().seconds(), 1_750_500_000);
    }
}

#[test]
fn an_update_of_what_the_ledger_does_not_keep_names_nothing() {
    let mut value =
        crate::support::documents::value(SHAPES[1], "customer.subscription.updated.recovered.json");
    value["data"]["previous_attributes"] = serde_json::json!({"default_payment_method": null});
    let steps = crate::support::documents::translated_value(&value).unwrap().steps;
    let Command::Subscription(SubscriptionCommand::RecordSubscription(report)) =
        &steps.last().unwrap().command
    else {
        panic!()
    };
    assert_eq!(report.change, SubscriptionChange::Unnamed);
}

#[test]
fn a_cancellation_can_be_withdrawn_and_a_quantity_changed() {
    let change = |previous: serde_json::Value| {
        let mut value =
            crate::support::documents::value(SHAPES[1], "customer.subscription.updated.recovered.json");
        value["data"]["previous_attributes"] = previous;
        let instructions = crate::support::documents::translated_value(&value).unwrap();
        let Command::Subscription(SubscriptionCommand::RecordSubscription(report)) =
            instructions.steps.last().unwrap().command.clone()
        else {
            panic!()
        };
        report.change
    };
    let withdrawn = change(serde_json::json!({"cancel_at_period_end": true, "cancel_at": 1_756_721_100}));
    assert_eq!(withdrawn, SubscriptionChange::CancellationWithdrawn);
    let changed = change(serde_json::json!({"quantity": 5}));
    assert_eq!(changed, SubscriptionChange::PlanChanged { from: Some(plan("basic")) });
}

fn shown(event: &counterfoil::stripe::documents::envelope::Envelope) -> ReportedDetails {
    let told = counterfoil::stripe::translate::translate(
        event,
        &crate::support::documents::catalog(),
        &crate::support::documents::here(),
    );
    let mut reports = told.unwrap().steps.into_iter().filter_map(|step| match step.command {
        Command::Subscription(SubscriptionCommand::RecordSubscription(report)) => {
            Some(*report.terms.shown.unwrap())
        }
        _ => None,
    });
    reports.next().unwrap()
}

fn envelope(event: &serde_json::Value) -> counterfoil::stripe::documents::envelope::Envelope {
    counterfoil::stripe::documents::envelope::Envelope::parse(&serde_json::to_vec(event).unwrap()).unwrap()
}

#[test]
fn a_report_says_what_people_are_shown_in_each_shape() {
    for shape in SHAPES {
        let file = "customer.subscription.created.json";
        let mut new = crate::support::documents::value(shape, file);
        new["data"]["object"]["status"] = "active".into();
        let told = shown(&envelope(&new));
        assert_eq!(told.price.unwrap().as_str(), "price_1QLedgerBasicMonthly00001", "{shape}");
        assert_eq!(told.product.unwrap().as_str(), "prod_QLedgerBasic01", "{shape}");
        assert_eq!(told.amount, Some(crate::builders::catalog::usd(999)), "{shape}");
        assert_eq!(told.every, Some(Every { unit: EveryUnit::Month, count: 1 }), "{shape}");
        assert_eq!(told.trial_start, None, "{shape}");

        // Objects of old have a plan in the place of a price; an amount by tiers is no amount.
        let mut old = new;
        let item = &mut old["data"]["object"]["items"]["data"][0];
        let id = item["price"]["id"].clone();
        item["price"] = serde_json::Value::Null;
        item["plan"] = serde_json::json!({
            "id": id, "product": "prod_old", "currency": "usd", "amount": null, "interval": "month",
            "interval_count": 3,
        });
        old["data"]["object"]["trial_start"] = 1_748_772_000.into();
        let told = shown(&envelope(&old));
        assert_eq!(told.product.unwrap().as_str(), "prod_old", "{shape}");
        assert_eq!((told.amount, told.every.unwrap().count), (None, 3), "{shape}");
        assert_eq!(told.trial_start.unwrap().seconds(), 1_748_772_000, "{shape}");
    }
}
