//! Which deliveries are Stripe's?

use counterfoil::{
    domain::time::Timestamp,
    stripe::inbound::signature::{Secrets, SignatureError, TOLERANCE_S, WebhookSecret, sign, verify},
};

const BODY: &[u8] = br#"{"id":"evt_1"}"#;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_748_772_300 + seconds).unwrap()
}

fn secrets() -> Secrets {
    Secrets::parse("whsec_old, next=whsec_new").unwrap()
}

fn secret(value: &str) -> WebhookSecret {
    WebhookSecret::new("any", value)
}

fn check(header: &str, body: &[u8], now: Timestamp) -> Result<String, SignatureError> {
    verify(&secrets(), Some(header), body, now).map(|secret| secret.name().to_owned())
}

fn v1(secret: &WebhookSecret) -> String {
    sign(secret, BODY, at(0)).split_once(",").unwrap().1.to_owned()
}

#[test]
fn a_fresh_signature_passes_and_says_which_secret_matched() {
    assert_eq!(check(&sign(&secret("whsec_old"), BODY, at(0)), BODY, at(1)), Ok("1".into()));
    assert_eq!(check(&sign(&secret("whsec_new"), BODY, at(0)), BODY, at(1)), Ok("next".into()));
}

/// A known pair, so that signing and verifying cannot be wrong together.
#[test]
fn the_signature_is_that_of_the_scheme() {
    let header = sign(&secret("whsec_test"), b"{}", Timestamp::from_seconds(1_700_000_000).unwrap());
    let expected = "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";
    assert_eq!(header, format!("t=1700000000,v1={expected}"));
}

#[test]
fn any_of_several_signatures_may_match() {
    let (wrong, right) = (v1(&secret("whsec_wrong")), v1(&secret("whsec_new")));
    for header in [format!("{wrong},{right}"), format!("{right},{wrong}")] {
        let header = format!("t={},{header}", at(0).seconds());
        assert_eq!(check(&header, BODY, at(0)), Ok("next".into()), "{header}");
    }
}

#[test]
fn what_was_changed_or_signed_by_others_does_not_match() {
    let header = sign(&secret("whsec_old"), BODY, at(0));
    assert_eq!(check(&header, br#"{"id":"evt_2"}"#, at(0)), Err(SignatureError::NoMatch));
    let foreign = sign(&secret("whsec_wrong"), BODY, at(0));
    assert_eq!(check(&foreign, BODY, at(0)), Err(SignatureError::NoMatch));
    let moved = header.replace(&at(0).seconds().to_string(), &at(9).seconds().to_string());
    assert_eq!(check(&moved, BODY, at(9)), Err(SignatureError::NoMatch));
    let older_scheme = header.replace("v1=", "v0=");
    assert_eq!(check(&older_scheme, BODY, at(0)), Err(SignatureError::NoMatch));
    let cut = &header[..header.len() - 2];
    assert_eq!(check(cut, BODY, at(0)), Err(SignatureError::NoMatch));
}

#[test]
fn the_time_of_signing_is_checked_both_ways() {
    let header = sign(&secret("whsec_old"), BODY, at(0));
    assert!(check(&header, BODY, at(TOLERANCE_S)).is_ok());
    assert!(check(&header, BODY, at(-TOLERANCE_S)).is_ok());
    assert_eq!(check(&header, BODY, at(301)), Err(SignatureError::TooOld { age_s: 301 }));
    assert_eq!(check(&header, BODY, at(-310)), Err(SignatureError::FromTheFuture { ahead_s: 310 }));
}

#[test]
fn a_header_of_another_form_is_malformed() {
    for header in ["", "t=", "t=now,v1=00", "v1=00", "t", "t=1,t=2,v1=00", "t=99999999999999999999,v1=00"] {
        assert_eq!(check(header, BODY, at(0)), Err(SignatureError::Malformed), "{header}");
    }
    assert_eq!(verify(&secrets(), None, BODY, at(0)), Err(SignatureError::Missing));
    let many = format!("t=1{}", format!(",{}", v1(&secret("whsec_old"))).repeat(17));
    assert_eq!(check(&many, BODY, at(0)), Err(SignatureError::Malformed));
}

#[test]
fn times_at_the_ends_of_numbers_are_refused() {
    for signed_at in [i64::MAX, i64::MIN] {
        let header = format!("t={signed_at},{}", v1(&secret("whsec_old")));
        assert_eq!(check(&header, BODY, at(0)), Err(SignatureError::NoMatch));
    }
}

#[test]
fn secrets_are_never_empty_and_never_shown() {
    assert!(Secrets::parse("").is_err());
    assert!(Secrets::parse("whsec_a,,whsec_b").is_err());
    assert!(Secrets::parse("name=").is_ok(), "a secret may contain an equals sign");
    assert!(!format!("{:?}", secrets()).contains("whsec"));
}
