//! What if an event has only a part of its object?
//! Stripe delivers the first ten lines of an invoice, and no items of a checkout or of the invoice's subscription; what
//! is needed is fetched before anything is granted.

use serde_json::Value;

use crate::{
    domain::ids::ProviderId,
    stripe::{
        client::{AskObject, CallError, Client, ListFilter},
        documents::{Document, envelope::Envelope},
        translate::{ITEMS, SUBSCRIPTION_ITEMS, SetAside, Translation, named_subscription},
    },
};

/// The most lines of one invoice, or items of one checkout.
pub const LINES_MAX: usize = 2_000;

/// How often something is fetched for one event: the lines of an invoice, and then the items of its subscription.
const RESTS_MAX: usize = 2;

/// Why the rest could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoLines {
    #[error("Stripe cannot be asked for it: {0}")]
    NotAnswered(#[from] CallError),
    #[error("there are more than {LINES_MAX}")]
    TooMany,
}

/// What an event leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum InvoiceRest {
    Lines {
        invoice: ProviderId,
    },
    Items {
        session: ProviderId,
    },
    /// The items of the invoice's subscription.
    Beside {
        subscription: ProviderId,
    },
}

impl InvoiceRest {
    /// What has to be fetched before the event can be read.
    /// Objects of a connected account cannot be fetched with our key.
    fn of(event: &Envelope, translation: &Translation) -> Option<Self> {
        let Err(SetAside::Incomplete(_)) = translation else { return None };
        let object = event.object().filter(|_| event.account.is_none())?;
        match object.text("object")? {
            "invoice" if is_whole(object) => Some(Self::Beside { subscription: named_subscription(object)? }),
            "invoice" => Some(Self::Lines { invoice: object.id_of()? }),
            "checkout.session" => Some(Self::Items { session: object.id_of()? }),
            _ => None,
        }
    }

    /// The event with what was left out.
    async fn fetch(&self, client: &Client, event: Envelope) -> Result<Envelope, NoLines> {
        match self {
            Self::Lines { invoice } => {
                let listing = ListFilter::Lines { invoice: invoice.to_string() };
                Ok(event.with_lines(all(client, &listing).await?))
            }
            Self::Items { session } => {
                let listing = ListFilter::Items { session: session.to_string() };
                Ok(event.with_list(ITEMS, all(client, &listing).await?))
            }
            Self::Beside { subscription } => {
                let asked = AskObject { path: format!("/subscriptions/{subscription}"), expand: &[] };
                let subscription = match client.object(&asked).await {
                    // Stripe does not have the object, so nothing more can be known.
                    Err(CallError::Rejected(_)) => Value::Null,
                    answer => answer?,
                };
                let items = subscription.pointer("/items/data").and_then(Value::as_array);
                Ok(event.with_list(SUBSCRIPTION_ITEMS, items.cloned().unwrap_or_default()))
            }
        }
    }
}

/// Whether something has to be fetched from Stripe for this event.
pub(super) fn asks(event: &Envelope, read: impl Fn(&Envelope) -> Translation) -> bool {
    let kind = event.object().and_then(|object| object.text("object"));
    matches!(kind, Some("invoice" | "checkout.session")) && InvoiceRest::of(event, &read(event)).is_some()
}

/// The translation of an event with what it leaves out, as far as Stripe can be asked, and the event with that.
pub(super) async fn read_whole(
    client: Option<&Client>,
    mut event: Envelope,
    read: impl Fn(&Envelope) -> Translation,
) -> Result<(Envelope, Translation), NoLines> {
    for _ in 0..RESTS_MAX {
        let translation = read(&event);
        let Some((client, rest)) = client.zip(InvoiceRest::of(&event, &translation)) else {
            let Some(alone) = without_items(&event, &translation) else { return Ok((event, translation)) };
            let translation = read(&alone);
            return Ok((alone, translation));
        };
        event = rest.fetch(client, event).await?;
    }
    let translation = read(&event);
    Ok((event, translation))
}

/// The same event if Stripe cannot be asked: it has all that will ever be known of what was bought.
fn without_items(event: &Envelope, translation: &Translation) -> Option<Envelope> {
    let Err(SetAside::Incomplete(_)) = translation else { return None };
    let object = event.object()?;
    let items = match object.text("object")? {
        "checkout.session" => ITEMS,
        "invoice" if is_whole(object) => SUBSCRIPTION_ITEMS,
        _ => return None,
    };
    object.find(items).is_none().then(|| event.clone().with_list(items, Vec::new()))
}

/// Whether the invoice has all of its lines.
fn is_whole(invoice: Document<'_>) -> bool {
    !invoice.is_cut_off("lines")
}

/// All members of a list.
async fn all(client: &Client, listing: &ListFilter) -> Result<Vec<Value>, NoLines> {
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let page = client.page(listing, after.as_deref()).await?;
        lines.extend(page.objects);
        if lines.len() > LINES_MAX {
            return Err(NoLines::TooMany);
        }
        let Some(next) = page.next else { return Ok(lines) };
        after = Some(next);
    }
}
