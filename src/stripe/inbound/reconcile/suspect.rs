//! Which object is checked, and which event would have reported it?

use serde_json::{Value, json};

use super::Subject;
use crate::{
    domain::{amount::Money, ids::ProviderId, time::Timestamp},
    stripe::documents::Document,
};

/// An object that may differ from the ledger.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    pub(super) subject: Subject,
    pub(super) object: Value,
    pub(super) read_at: Timestamp,
}

impl Suspect {
    pub(super) fn id(&self) -> Option<ProviderId> {
        Document::new(&self.object).id_of()
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        Document::new(&self.object).text("object") == Some(kind)
    }

    /// The payment and its amount, if it may have paid a part of an invoice.
    pub(super) fn share(&self) -> Option<(ProviderId, Money)> {
        let document = Document::new(&self.object);
        let may = matches!(self.subject, Subject::InvoicePayment | Subject::Payment);
        self.subject.bought(document).zip(self.subject.paid(document)).filter(|_| may)
    }

    /// The event that would have reported the object.
    /// Its id follows from its contents, so that the same drift is corrected once, however often it is found.
    pub(super) fn event(&self, kind: &str, id: &str, live: bool) -> Value {
        let created = self.subject.told_at(Document::new(&self.object), self.read_at);
        json!({
            "id": id,
            "object": "event",
            "created": created.seconds(),
            "data": { "object": as_delivered(self.object.clone()) },
            "livemode": live,
            "type": kind,
        })
    }
}

/// The object without what was only expanded for the comparison: an event refers to a charge and a payment, and
/// contains neither personal data nor the client secret.
fn as_delivered(mut object: Value) -> Value {
    let Some(fields) = object.as_object_mut() else { return object };
    for name in ["latest_charge", "payment_intent"] {
        let whole = fields.get_mut(name);
        if let Some((whole, id)) = whole.and_then(|whole| whole.get("id").cloned().map(|id| (whole, id))) {
            *whole = id;
        }
    }
    fields.remove("client_secret");
    object
}
