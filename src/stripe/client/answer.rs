//! Can an answer be read and stored, whoever it is from? Its length and its depth have limits, and it has no NUL.
//!
//! What is nested deeply ends a program that follows it by recursion, and Postgres stores no NUL in a text or in JSON.
//! No answer of Stripe comes near these limits: its largest have a hundred objects of some kilobytes each.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// The longest body.
const BYTES_MAX: usize = 16 << 20;
/// How deeply arrays and objects may be nested.
const DEPTH_MAX: u32 = 64;
/// What follows the backslash of a NUL in a text.
const NUL: &[u8] = b"u0000";

/// Why there is no body.
#[derive(Debug)]
pub(super) enum AnswerFault {
    Lost(reqwest::Error),
    /// It is not one that Stripe sends.
    Unsound,
}

impl From<reqwest::Error> for AnswerFault {
    fn from(error: reqwest::Error) -> Self {
        Self::Lost(error)
    }
}

/// Reads a body.
///
/// # Errors
/// If the connection is lost, or the body is not one that Stripe sends.
pub(super) async fn read(mut answer: Response) -> Result<Bytes, AnswerFault> {
    let mut body = BytesMut::new();
    while let Some(part) = answer.chunk().await? {
        if body.len().saturating_add(part.len()) > BYTES_MAX {
            return Err(AnswerFault::Unsound);
        }
        body.extend_from_slice(&part);
    }
    if is_sound(&body) { Ok(body.freeze()) } else { Err(AnswerFault::Unsound) }
}

/// Whether it may be read, if it is JSON at all.
fn is_sound(body: &[u8]) -> bool {
    let (mut depth, mut in_text) = (0_u32, false);
    let mut rest = body;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (in_text, byte) {
            (true, b'\\') if after.starts_with(NUL) => return false,
            // Whatever is escaped, it does not end the text.
            (true, b'\\') => rest = after.get(1..).unwrap_or_default(),
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => depth = depth.saturating_add(1),
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (true | false, _) => {}
        }
        if depth > DEPTH_MAX {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_texts_and_a_nul_is_found_in_them() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let brackets = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(500), "{".repeat(500));
        for sound in
            [nested(64), brackets, r#"{"a":"\\u0000"}"#.into(), r#""\u0001""#.into(), "<html>".into()]
        {
            assert!(is_sound(sound.as_bytes()), "{sound}");
        }
        for unsound in
            [nested(65), "{\"a\":".repeat(200_000), r#"{"a":"\u0000"}"#.into(), r#"["\\\u0000"]"#.into()]
        {
            assert!(!is_sound(unsound.as_bytes()), "{:.40}", unsound);
        }
    }
}
