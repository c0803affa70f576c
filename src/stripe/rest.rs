//! What if an event carries only a part of its object? Stripe delivers the first ten lines of an invoice; all of them
//! are fetched before anything is granted.

use serde_json::Value;

use super::{
    client::{CallError, Client, Listing},
    envelope::Envelope,
    translate::{SetAside, Translation},
};
use crate::domain::names::ProviderId;

/// The most lines of one invoice.
pub const LINES_MAX: usize = 2_000;

/// Why the lines of an invoice are not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoLines {
    #[error("Stripe cannot be asked for it: {0}")]
    NotAnswered(#[from] CallError),
    #[error("there are more than {LINES_MAX}")]
    TooMany,
}

/// The invoice whose lines an event leaves out. Those of a connected account cannot be asked for with our key.
pub(super) fn invoice_of(event: &Envelope, translation: &Translation) -> Option<ProviderId> {
    let Err(SetAside::Incomplete(_)) = translation else { return None };
    let object = event.object().filter(|_| event.account.is_none())?;
    if object.text("object") == Some("invoice") { object.id_of() } else { None }
}

/// All lines of an invoice.
pub(super) async fn lines(client: &Client, invoice: &ProviderId) -> Result<Vec<Value>, NoLines> {
    let listing = Listing::Lines { invoice: invoice.to_string() };
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let page = client.page(&listing, after.as_deref()).await?;
        lines.extend(page.objects);
        if lines.len() > LINES_MAX {
            return Err(NoLines::TooMany);
        }
        let Some(next) = page.next else { return Ok(lines) };
        after = Some(next);
    }
}
