//! What does a caller send to authenticate?

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::catalog::Mode;

/// The shortest secret that is accepted, in bytes.
pub const SECRET_BYTES_MIN: usize = 32;
/// The longest secret that is accepted, in bytes.
pub const SECRET_BYTES_MAX: usize = 256;
/// How many random bytes a generated secret has.
const RANDOM_BYTES: usize = 32;
/// How many characters of a generated secret are stored to recognise it: the mode, and four of its 43 random
/// characters.
const PREFIX_CHARACTERS: usize = 12;

/// A key's secret. It is only shown on request, and never in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret {
    text: String,
    /// Whether it was generated here.
    is_made: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} visible ASCII characters")]
pub struct InvalidSecret;

impl KeySecret {
    /// Generates a secret.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn make(mode: Mode) -> Result<Self, getrandom::Error> {
        let mut random = [0_u8; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        Ok(Self { text: format!("cf_{mode}_{}", URL_SAFE_NO_PAD.encode(random)), is_made: true })
    }

    /// # Errors
    /// If the text is too short to be safe, too long, or cannot be sent in a header.
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

    /// The first characters of a generated secret, which say nothing about the rest.
    /// Empty for other secrets, where they might.
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

/// SHA-256 of a secret, which is what is stored and looked up. Comparing hashes reveals nothing about secrets.
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
