//! What time is it at Stripe? Its clock dates signatures, and this machine's clock checks them.

use std::time::Duration;

use reqwest::header::DATE;

use super::ApiUrl;
use crate::domain::time::Timestamp;

const TIMEOUT: Duration = Duration::from_secs(10);

impl ApiUrl {
    /// The time at Stripe, to the second, from the header of any answer. `None`: there is no answer.
    ///
    /// No key is sent, since a refusal has a date, too.
    pub async fn date(&self) -> Option<Timestamp> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().ok()?;
        let answer = client.get(format!("{}v1/webhook_endpoints", self.base())).send().await.ok()?;
        let date = answer.headers().get(DATE)?.to_str().ok()?;
        let date = chrono::DateTime::parse_from_rfc2822(date).ok()?;
        Timestamp::from_seconds(date.timestamp())
    }
}
