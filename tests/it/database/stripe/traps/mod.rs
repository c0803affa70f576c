//! The traps of Stripe's webhooks, each by its number: does the ledger avoid it?
//!
//! `docs/STRIPE.md` has the list. A trap without a test here has a line there that says where it belongs.

mod delivery;
mod endpoints;
mod fetched;
mod invoices;
mod money;
mod subscriptions;

use serde_json::Value;

use crate::support::{
    desk::Desk,
    documents::{SHAPES, translated_value, value},
};

const TRAPS: u32 = 39;

/// These are about calls that change something at Stripe.
const OUTGOING: [u32; 1] = [38];

/// The newer shape of a document, changed.
fn changed(file: &str, id: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut event = value(SHAPES[1], file);
    event["id"] = id.into();
    change(&mut event["data"]["object"]);
    event
}

/// A desk whose clock stands at this time.
async fn desk_at(time: &str) -> Desk {
    let desk = Desk::open().await;
    desk.clock().set(counterfoil::domain::time::Timestamp::parse(time).unwrap());
    desk
}

#[test]
fn each_trap_has_a_test_or_a_line_that_says_where_it_belongs() {
    let tests = [
        include_str!("delivery.rs"),
        include_str!("endpoints.rs"),
        include_str!("fetched.rs"),
        include_str!("invoices.rs"),
        include_str!("money.rs"),
        include_str!("subscriptions.rs"),
    ]
    .concat();
    let page = include_str!("../../../../../docs/STRIPE.md");
    for trap in 1..=TRAPS {
        let tested = tests.contains(&format!("fn trap_{trap:02}_"));
        assert_eq!(tested, !OUTGOING.contains(&trap), "trap {trap}");
        assert!(page.contains(&format!("\n| {trap} |")), "docs/STRIPE.md has no line for trap {trap}");
    }
}
