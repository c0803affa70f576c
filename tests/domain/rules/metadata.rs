//! Is a caller's metadata allowed, complete, and only theirs?

use std::collections::BTreeMap;

use domain::{
    command::{AccountCommand, Command},
    metadata::{InvalidMetadata, Metadata},
    refusal::Refusal,
};

use crate::builders::{
    scenario::given,
    words::{day, opened},
};

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn metadata(of: &[(&str, &str)]) -> Metadata {
    Metadata::given(pairs(of)).unwrap()
}

fn set(of: &[(&str, &str)]) -> Command {
    Command::Account(AccountCommand::SetMetadata { metadata: metadata(of) })
}

#[test]
fn names_and_texts_have_bounds() {
    let (long, longer) = ("n".repeat(40), "n".repeat(41));
    let (text, too_long) = ("ü".repeat(500), "ü".repeat(501));
    assert!(Metadata::given(pairs(&[(&long, &text), ("a-B_9", "ünïcode 🎵")])).is_ok());
    for name in ["", "a b", "a.b", "a[b]", "ü", &longer] {
        let name_is = InvalidMetadata::Name(name.chars().take(40).collect());
        assert_eq!(Metadata::given(pairs(&[(name, "x")])), Err(name_is), "{name}");
    }
    for text in ["", "a\nb", "\u{0}", &too_long] {
        assert_eq!(Metadata::given(pairs(&[("a", text)])), Err(InvalidMetadata::Text("a".to_owned())));
    }
    let numbered = |count: usize| (0..count).map(|number| (format!("n{number}"), "x".to_owned())).collect();
    assert!(Metadata::given(numbered(10)).is_ok());
    assert_eq!(Metadata::given(numbered(11)), Err(InvalidMetadata::TooMany));
}

#[test]
fn names_that_decide_whose_and_what_it_is_are_refused() {
    for name in
        ["account_id", "kind", "topup_code", "topup_credits", "quantity", "plan_code", "metadata_names"]
    {
        assert_eq!(Metadata::given(pairs(&[(name, "x")])), Err(InvalidMetadata::Reserved(name.to_owned())));
    }
}

/// At Stripe it is stored together with what other programs write there.
#[test]
fn what_is_written_is_read_back_and_nothing_of_others() {
    let given = metadata(&[("source", "mail"), ("ref-1", "7,8")]);
    let mut at_stripe: BTreeMap<String, String> =
        given.written().map(|(name, text)| (name.into_owned(), text.into_owned())).collect();
    at_stripe.insert("customer_email".to_owned(), "ada@example.com".to_owned());
    at_stripe.insert("account_id".to_owned(), "acme".to_owned());
    let read =
        |at_stripe: &BTreeMap<String, String>| Metadata::read(|name| at_stripe.get(name).map(String::as_str));
    assert_eq!(read(&at_stripe), given);
    // Somebody has edited the list: names that Counterfoil uses itself are not shown as the caller's.
    at_stripe.insert("metadata_names".to_owned(), "source,account_id,gone,a b".to_owned());
    assert_eq!(read(&at_stripe), metadata(&[("source", "mail")]));
    assert_eq!(read(&BTreeMap::new()), Metadata::default());
    // The longest list fits into one text at Stripe.
    let numbered = (0..10).map(|number| (format!("{number:0>40}"), "x".to_owned())).collect();
    let longest = Metadata::given(numbered).unwrap();
    assert!(longest.written().all(|(name, text)| name.len() <= 40 && text.chars().count() <= 500));
}

#[test]
fn an_account_has_the_pairs_that_were_set_last() {
    let one = given([opened()]).when(set(&[("source", "mail"), ("tier", "a")]));
    let two = one.at(day(1)).when(set(&[("source", "web")])).then_named(["AccountMetadataSet"]);
    assert_eq!(two.open().metadata, metadata(&[("source", "web")]));
    let again = two.at(day(2)).when(set(&[("source", "web")])).then_nothing();
    assert!(again.when(set(&[])).open().metadata.is_empty());
}

#[test]
fn nobody_attaches_to_an_account_that_is_not_open() {
    given([]).when(set(&[])).then_refused(Refusal::AccountNotFound);
    let closed = given([opened()])
        .when(Command::Account(AccountCommand::CloseAccount { reason: "asked to".to_owned() }));
    closed.when(set(&[("a", "b")])).then_refused(Refusal::AccountClosed);
}
