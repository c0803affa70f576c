//! What does a caller send to say who it is?

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::catalog::Mode;

/// The shortest key that is accepted where somebody makes up their own, in bytes.
pub const SECRET_BYTES_MIN: usize = 32;
/// The longest key that is looked at, in bytes.
pub const SECRET_BYTES_MAX: usize = 256;
/// How many random bytes a made key has.
const RANDOM_BYTES: usize = 32;
/// How many characters of a made secret are kept to recognise it by: the mode, and four of forty-three that are random.
const PREFIX_CHARACTERS: usize = 12;

/// A key's secret. It shows itself only when asked to, and never in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret {
    text: String,
    /// Whether it was made here, of random bytes.
    is_made: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} visible ASCII characters")]
pub struct InvalidSecret;

impl KeySecret {
    /// A new one, that nobody can guess.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn make(mode: Mode) -> Result<Self, getrandom::Error> {
        let mut random = [0_u8; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        Ok(Self { text: format!("cf_{mode}_{}", URL_SAFE_NO_PAD.encode(random)), is_made: true })
    }

    /// # Errors
    /// When the text is too short to be safe, too long, or cannot be sent in a header.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let length = SECRET_BYTES_MIN..=SECRET_BYTES_MAX;
        let valid = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if valid { Ok(Self { text: text.to_owned(), is_made: false }) } else { Err(InvalidSecret) }
    }

    /// The secret itself, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The first characters, which say nothing about the rest. Of what somebody made up nobody knows that, so there are
    /// none.
    #[must_use]
    pub fn prefix(&self) -> String {
        let characters = if self.is_made { PREFIX_CHARACTERS } else { 0 };
        self.text.chars().take(characters).collect()
    }

    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.text)
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// SHA-256 of a secret: what is stored, and what is looked up. Comparing hashes tells nothing about secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
