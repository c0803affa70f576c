//! How is an event sent to a server without Stripe? It is signed here, and posted as Stripe would.
//!
//! This replaces `stripe trigger`, which needs a Stripe account.

use super::signature::{HEADER, WebhookSecret, sign};
use crate::{
    domain::time::Timestamp,
    stripe::documents::{QUOTED_CHARACTERS_MAX, envelope::Envelope},
};

/// The answer for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendResult {
    /// The event's id, if the document is an event.
    pub event: Option<String>,
    pub status: u16,
    /// The server's answer, shortened if it is long.
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

/// Posts `body`, byte for byte, signed with `secret` at `at`.
/// A document that is not an event is sent, too, to show that it is refused.
///
/// # Errors
/// If there was no answer.
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
