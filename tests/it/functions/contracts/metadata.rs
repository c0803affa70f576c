//! Is the metadata of events read as what it was, whichever release has stored it?

use counterfoil::domain::{
    credits::Balance,
    ids::Actor,
    recorded::{EventMetadata, Origin, RequestHash},
};

use crate::support::ledger::credits;

/// As the releases before 0034_key_digests stored it.
const FIRST: &str = r#"{"event_id":"01a22290-ba2e-7b40-a6ca-0f28430babca","command_id":"01a22290-ba2e-7ec2-b549-a56d4cdeac45","events":"2","request_hash":"656a083b7280dc530a6a481ad4c15209","actor":"key_3630ec127b865b0e","origin":"api","catalog":"27ac43021d0317640523ef477b151e6ff34c91a20c3017e70c5a183ee677fd50","balance":"45 0 0","balance_then":"50 1 2","correlation_id":"order-7"}"#;
const NOW: &str = r#"{"command":"7","events":"2","request":"656a083b7280dc53","actor":"key_3630ec127b865b0e","catalog":"27ac43021d0317640523ef477b151e6f","balance":"45","balance_then":"50 1 2","correlation_id":"order-7"}"#;
/// The usual one of a deduction, and that of what the clock has done.
const USUAL: &str = r#"{"request":"00000000000000ff","actor":"key_1","catalog":"27ac","balance":"45"}"#;
const OF_THE_CLOCK: &str =
    r#"{"request":"00000000000000ff","actor":"clock","origin":"clock","catalog":"27ac","balance":"0 3 0"}"#;

fn read(text: &str) -> EventMetadata {
    serde_json::from_str(text).expect("it is metadata")
}

fn written(metadata: &EventMetadata) -> String {
    serde_json::to_string(metadata).expect("it is JSON")
}

#[test]
fn metadata_is_written_as_it_was_read() {
    for text in [NOW, USUAL, OF_THE_CLOCK] {
        assert_eq!(written(&read(text)), text);
    }
    let usual = read(USUAL);
    assert_eq!((usual.origin, usual.events, usual.command), (Origin::Api, 1, None));
    assert_eq!(usual.balance, Balance::new(credits(45), credits(0), credits(0)));
    assert_eq!(read(OF_THE_CLOCK).balance, Balance::new(credits(0), credits(3), credits(0)));
}

#[test]
fn what_the_first_releases_stored_says_the_same_as_today() {
    let (first, now) = (read(FIRST), read(NOW));
    assert_eq!(first.request_hash, RequestHash(0x656a_083b_7280_dc53));
    assert_eq!(first.actor, Actor::parse("key_3630ec127b865b0e").expect("an actor"));
    assert!(first.catalog.starts_with(&*now.catalog), "it had all of the hash");
    // They did not say which event was the command's first.
    assert_eq!(EventMetadata { command: Some(7), catalog: now.catalog.clone(), ..first }, now);
}

#[test]
fn what_is_no_balance_and_no_hash_is_not_guessed() {
    for wrong in [
        r#""balance":"45 0""#,
        r#""balance":"45 0 0 0""#,
        r#""balance":"-1""#,
        r#""balance":"""#,
        r#""request":"656a""#,
        r#""request":"+56a083b7280dc53""#,
    ] {
        let (field, _) = wrong.split_once(':').expect("a field");
        let usual = USUAL.split(',').find(|part| part.contains(field)).expect("the usual one has it");
        let text = USUAL.replace(usual.trim_matches(['{', '}']), wrong);
        assert!(serde_json::from_str::<EventMetadata>(&text).is_err(), "{text}");
    }
}
