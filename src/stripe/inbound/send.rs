//! How does an event reach a server without Stripe? It is signed here, and posted as Stripe would.
//!
//! This is what `stripe trigger` is for people who have an account there.

use super::signature::{HEADER, WebhookSecret, sign};
use crate::{
    domain::time::Timestamp,
    stripe::documents::{QUOTED_CHARACTERS_MAX, envelope::Envelope},
};

/// What came back for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendResult {
    /// The event's id, where the document is an event.
    pub event: Option<String>,
    pub status: u16,
    /// What the server said, cut off where it is long.
    pub body: String,
}

impl SendResult {
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// The longest part of an answer that is kept, in characters.
pub const ANSWER_CHARACTERS_MAX: usize = QUOTED_CHARACTERS_MAX * 8;

/// Posts `body`, byte for byte, signed with `secret` at `at`. A document that is no event is sent too: to see
/// it refused is what it is for.
///
/// # Errors
/// When no answer came.
pub async fn send(
    client: &reqwest::Client,
    url: &str,
    secret: &WebhookSecret,
    body: Vec<u8>,
    at: Timestamp,
) -> Result<SendResult, reqwest::Error> {
    let event = Envelope::parse(&body).ok().map(|event| event.id.to_string());
    let signature = sign(secret, &body, at);
    let request = client.post(url).header(HEADER, signature).header("content-type", "application/json");
    let response = request.body(body).send().await?;
    let status = response.status().as_u16();
    let body = response.text().await?.chars().take(ANSWER_CHARACTERS_MAX).collect();
    Ok(SendResult { event, status, body })
}
