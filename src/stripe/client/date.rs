//! What time is it at Stripe? Signatures are dated by its clock, and checked by ours.

use std::time::Duration;

use reqwest::header::DATE;

use super::ApiUrl;
use crate::domain::time::Timestamp;

const TIMEOUT: Duration = Duration::from_secs(10);

impl ApiUrl {
    /// The time there, to the second, as the header of any answer says it; `None` when there is no answer.
    ///
    /// No key is sent: a refusal has a date too.
    pub async fn date(&self) -> Option<Timestamp> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().ok()?;
        let answer = client.get(format!("{}v1/webhook_endpoints", self.base())).send().await.ok()?;
        let date = answer.headers().get(DATE)?.to_str().ok()?;
        let date = chrono::DateTime::parse_from_rfc2822(date).ok()?;
        Timestamp::from_seconds(date.timestamp())
    }
}
