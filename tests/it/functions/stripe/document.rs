//! Is the table of events in `docs/STRIPE.md` the program's own? `UPDATE_GOLDEN=1` rewrites it.

use std::{collections::BTreeSet, fs, path::PathBuf};

use counterfoil::stripe::translate::{
    SetAside,
    kinds::{KINDS, find},
};
use serde_json::json;

use crate::support::documents::{SHAPES, event, story, translated_value};

const BEGIN: &str = "<!-- events: written by the program -->\n";
const END: &str = "<!-- events: end -->\n";

/// What an endpoint is to be subscribed to, as Stripe's own list of traps ends.
const SUBSCRIBED: &str = "credit_note.created credit_note.updated credit_note.voided checkout.session.completed checkout.session.async_payment_succeeded \
    checkout.session.async_payment_failed checkout.session.expired customer.created customer.updated \
    customer.deleted customer.discount.created customer.discount.updated customer.discount.deleted \
    customer.subscription.created customer.subscription.updated customer.subscription.deleted \
    customer.subscription.paused customer.subscription.resumed customer.subscription.trial_will_end \
    invoice.created invoice.finalized invoice.paid invoice.payment_succeeded invoice.payment_failed \
    invoice.payment_action_required invoice.voided invoice.marked_uncollectible invoice_payment.paid \
    payment_intent.succeeded payment_intent.payment_failed payment_intent.canceled charge.refunded \
    refund.created refund.updated refund.failed credit_note.created credit_note.updated credit_note.voided charge.dispute.created charge.dispute.updated \
    charge.dispute.closed charge.dispute.funds_withdrawn charge.dispute.funds_reinstated \
    payment_method.attached payment_method.detached product.created product.updated product.deleted \
    price.created price.updated price.deleted";

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/STRIPE.md")
}

fn table() -> String {
    let line = |kind: &counterfoil::stripe::translate::kinds::EventKind| {
        let (handled, says) = kind.effect();
        let says = if handled { says.to_owned() } else { format!("ignored: {says}") };
        let asked = if kind.is_subscribed { "yes" } else { "" };
        format!("| `{}` | {asked} | {says} |\n", kind.name)
    };
    let lines: String = KINDS.iter().map(line).collect();
    format!("\n| event | subscribed | what it does |\n|---|---|---|\n{lines}\n")
}

#[test]
fn the_page_has_the_programs_table() {
    let text = fs::read_to_string(page()).expect("the page is there");
    let (before, rest) = text.split_once(BEGIN).expect("the table begins");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let written = [before, BEGIN, &table(), END, after].concat();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(page(), &written).expect("the page can be written");
    } else {
        assert_eq!(text, written, "the table of docs/STRIPE.md differs from the program's");
    }
}

/// Whatever it carries.
#[test]
fn what_is_listed_as_ignored_changes_nothing() {
    for kind in KINDS.iter().filter(|kind| !kind.effect().0) {
        let event = json!({
            "id": "evt_1", "object": "event", "type": kind.name, "created": 1_748_736_000, "livemode": false,
            "data": { "object": { "id": "any_1", "object": "any", "customer": "cus_1", "amount": "nine" } },
        });
        assert!(matches!(translated_value(&event), Err(SetAside::Ignored(_))), "{}", kind.name);
    }
}

#[test]
fn each_type_is_listed_once_and_what_is_subscribed_to_is_the_list() {
    let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), KINDS.len());
    let subscribed: BTreeSet<&str> =
        KINDS.iter().filter(|kind| kind.is_subscribed).map(|kind| kind.name).collect();
    assert_eq!(subscribed, SUBSCRIBED.split_whitespace().collect());
}

#[test]
fn every_type_of_the_story_is_listed() {
    for shape in SHAPES {
        for file in story(shape) {
            let kind = event(shape, &file).kind;
            assert!(find(&kind).is_some(), "{kind}");
        }
    }
}
