//! No document, however it was changed, grants more than what it says was paid for.
//!
//! What a document says is read here once more, in the simplest way: a line is worth what its price gives in a month,
//! as many times as its quantity; a checkout is worth as many packs as its amount before discounts pays for.

use counterfoil::{
    domain::{
        account::Account,
        command::{AccountCommand, Command},
        decide::{Context, decide},
        event::{CreditsEvent, Event},
    },
    stripe::{documents::envelope::Envelope, translate::translate},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::changed::{replace, replacement, size};
use crate::support::{
    documents::{SHAPES, catalog, here, read, story, value},
    ledger::noon,
};

/// What the catalog gives in a month for each price of the documents.
const PLANS: [(&str, i128); 3] = [
    ("price_1QLedgerBasicMonthly00001", 500),
    ("price_1QLedgerCreatorMonthly002", 1_500),
    ("price_1QLedgerTeamMonthly000003", 5_000),
];
/// What a pack costs, in minor units, and what is in it.
const PACKS: [(i128, i128); 3] = [(600, 500), (2_000, 2_000), (5_000, 5_500)];

/// What one document grants to an account that has nothing but its sign-up credits.
fn granted(body: &[u8]) -> i128 {
    let Ok(event) = Envelope::parse(body) else { return 0 };
    let catalog = catalog();
    let Ok(told) = translate(&event, &catalog, &here()) else { return 0 };
    let mut account = Account::default();
    let mut granted = 0;
    let commands = told.steps.into_iter().map(|step| step.command);
    for (number, command) in
        [Command::Account(AccountCommand::OpenAccount)].into_iter().chain(commands).enumerate()
    {
        let context = Context { at: noon(), catalog: &catalog };
        for event in decide(&account, &command, context).into_iter().flatten() {
            account.apply(&event).expect("what was decided can be applied");
            if let (Event::Credits(CreditsEvent::CreditsGranted { grant, .. }), 1..) = (&event, number) {
                granted += i128::from(grant.amount.get());
            }
        }
    }
    granted
}

/// What a document says is paid for.
fn worth(document: &Value) -> i128 {
    let object = &document["data"]["object"];
    let lines = object["lines"]["data"].as_array().into_iter().flatten();
    let lines: i128 = lines.map(|line| monthly(line) * times(line)).sum();
    let amount = ["amount_subtotal", "amount_received"].iter().find_map(|name| object[name].as_i64());
    let amount = i128::from(amount.unwrap_or(0).max(0));
    let packs = PACKS.iter().map(|(price, credits)| amount / price * credits).max().unwrap_or(0);
    lines.max(packs)
}

fn monthly(line: &Value) -> i128 {
    let text = line.to_string();
    let named = PLANS.iter().filter(|(price, _)| text.contains(price));
    named.map(|(_, credits)| *credits).max().unwrap_or(0)
}

fn times(line: &Value) -> i128 {
    line["quantity"].as_u64().map_or(1, i128::from)
}

/// Whether nothing in it says that nothing was paid, or that it happened on the other side.
fn is_paid(document: &Value) -> bool {
    let object = &document["data"]["object"];
    let says = |name: &str| object[name].as_str();
    let of_checkout = document["type"].as_str().is_some_and(|kind| kind.starts_with("checkout."));
    let unpaid = if of_checkout {
        says("payment_status") == Some("unpaid")
    } else {
        matches!(says("status"), Some("open" | "void" | "draft" | "uncollectible"))
    };
    document["livemode"] != json!(true) && !unpaid
}

/// What is worth most in the story.
#[test]
fn what_was_not_changed_is_granted_as_it_says() {
    let grants = |file: &str| granted(&read(SHAPES[1], file));
    assert_eq!(grants("checkout.session.completed.topup_2.json"), 5_500);
    let all = story(SHAPES[1]);
    let granting = all.iter().filter(|file| grants(file) > 0).count();
    assert!(granting >= 8, "{granting} of the documents grant something");
    for file in &all {
        let document = value(SHAPES[1], file);
        assert!(grants(file) <= worth(&document), "{file}: {} of {}", grants(file), worth(&document));
    }
}

fn word() -> impl Strategy<Value = Value> {
    let words = ["open", "void", "draft", "uncollectible", "unpaid", "paid", "no_payment_required", "live"];
    let prices = PLANS.map(|(price, _)| price);
    prop::sample::select([&words[..], &prices[..]].concat()).prop_map(|word| json!(word))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changed_documents_grant_no_more_than_they_say(
        shape in 0..2_usize,
        file in any::<prop::sample::Index>(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![3 => replacement(), 1 => word()]),
            1..4,
        ),
    ) {
        let files = story(SHAPES[shape]);
        let mut document: Value = value(SHAPES[shape], &files[file.index(files.len())]);
        for (index, by) in changes {
            let mut place = index.index(size(&document));
            replace(&mut document, &mut place, &by);
        }
        let granted = granted(&serde_json::to_vec(&document).unwrap());
        prop_assert!(granted == 0 || is_paid(&document), "{granted} for nothing");
        prop_assert!(granted <= worth(&document), "{granted} for {}", worth(&document));
    }
}
