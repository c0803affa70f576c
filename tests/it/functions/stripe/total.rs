//! No document, however broken, makes the translation fail in another way than by saying why.

use counterfoil::{
    domain::{
        account::Account,
        decide::{Context, decide},
    },
    stripe::{
        documents::envelope::Envelope,
        translate::{Instructions, translate},
    },
};
use proptest::prelude::*;
use serde_json::Value;

use super::changed::{replace, replacement, size};
use crate::support::{
    documents::{SHAPES, catalog, event, here, read, story},
    ledger::noon,
};

fn check(body: &[u8]) {
    let Ok(event) = Envelope::parse(body) else { return };
    match translate(&event, &catalog(), &here()) {
        Ok(Instructions { steps, .. }) => {
            assert!(steps.iter().all(|step| step.key.len() < 512), "keys stay short");
        }
        Err(aside) => assert!(!aside.because().is_empty() && aside.because().len() < 1024),
    }
}

/// Events that only ever take away, hold, or give back what they took.
const RETURNS: [&str; 9] = [
    "charge.refunded.json",
    "charge.refunded.rest.json",
    "refund.created.json",
    "refund.failed.json",
    "charge.dispute.created.json",
    "charge.dispute.funds_withdrawn.json",
    "charge.dispute.closed.json",
    "charge.dispute.closed.won.json",
    "invoice_payment.paid.json",
];

/// Does what an event asks of the account, if anything. What is refused changes nothing.
fn follow(account: &mut Account, body: &[u8]) {
    let Ok(told) = Envelope::parse(body) else { return };
    let catalog = catalog();
    for step in translate(&told, &catalog, &here()).into_iter().flat_map(|told| told.steps) {
        let context = Context { at: noon(), catalog: &catalog };
        for event in decide(account, &step.command, context).into_iter().flatten() {
            account.apply(&event).expect("what was decided can be applied");
        }
    }
}

/// Ada, who has bought two packs.
fn buyer() -> Account {
    let mut account = Account::default();
    for file in ["checkout.session.completed.topup.json", "checkout.session.completed.topup_2.json"] {
        follow(&mut account, &read(SHAPES[1], file));
    }
    assert_eq!(account.balance(noon()).available.get(), 50 + 2_000 + 5_500);
    account
}

#[test]
fn the_documents_that_take_money_back_are_those_of_their_types() {
    let kinds = ["charge.refunded", "refund.", "charge.dispute.", "invoice_payment."];
    for file in RETURNS {
        let kind = event(SHAPES[1], file).kind;
        assert!(kinds.iter().any(|known| kind.starts_with(known)), "{kind}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// However they are changed, and in whatever order they come.
    #[test]
    fn changed_refunds_and_disputes_never_give_more_than_was_bought(
        told in prop::collection::vec((0..RETURNS.len(), any::<prop::sample::Index>(), replacement()), 1..5),
    ) {
        let mut account = buyer();
        let before = account.balance(noon()).available;
        for (file, index, by) in told {
            let mut document: Value = serde_json::from_slice(&read(SHAPES[1], RETURNS[file])).unwrap();
            let mut place = index.index(size(&document));
            replace(&mut document, &mut place, &by);
            follow(&mut account, &serde_json::to_vec(&document).unwrap());
            prop_assert!(account.balance(noon()).available <= before);
        }
    }

    #[test]
    fn changed_documents_are_translated_or_set_aside(
        shape in 0..2_usize,
        file in 0..60_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), replacement()), 1..4),
    ) {
        let files = story(SHAPES[shape]);
        let mut document: Value = serde_json::from_slice(&read(SHAPES[shape], &files[10 + file])).unwrap();
        for (index, by) in changes {
            let mut place = index.index(size(&document));
            replace(&mut document, &mut place, &by);
        }
        check(&serde_json::to_vec(&document).unwrap());
    }

    #[test]
    fn bytes_that_were_damaged_are_translated_or_set_aside(
        file in 0..60_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let files = story(SHAPES[1]);
        let mut body = read(SHAPES[1], &files[10 + file]);
        for (index, byte) in damage {
            let place = index.index(body.len());
            body[place] = byte;
        }
        check(&body);
    }
}
