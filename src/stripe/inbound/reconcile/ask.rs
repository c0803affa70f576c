//! What does Stripe say about one object, and is a claim of the ledger about it true?

use std::fmt;

use serde_json::Value;

use super::{
    ReconcileError, Reconciler, Subject,
    claim::StripeClaim,
    difference::NOTHING,
    report::{Drift, NotCompared, StoredFigures, UntoldCause},
    suspect::Suspect,
};
use crate::{
    domain::{ids::ProviderId, time::Timestamp},
    stripe::{
        client::{CallError, is_missing},
        documents::Document,
    },
};

/// Stripe's answer about one object.
pub(super) enum ObjectAnswer {
    There(Value),
    Missing,
    /// Stripe does not show it, with the reason.
    Unanswered(String),
}

/// The result of checking a claim.
pub(super) enum Checked {
    Holds,
    /// The object exists, and has to be compared.
    Suspect(Suspect),
    Differs(Box<Drift>),
    NotCompared(NotCompared),
}

impl StripeClaim {
    pub(super) fn differs(&self, stripe: impl Into<String>, because: StoredFigures) -> Checked {
        let subject = self.what.subject();
        Checked::Differs(Box::new(Drift {
            subject,
            object: self.object.clone(),
            account: Some(self.account.clone()),
            stripe_says: stripe.into(),
            ledger_says: self.says.clone(),
            event_type: subject.told_by().first().copied().unwrap_or_default(),
            cause: UntoldCause::Kept { because },
            repaired: false,
        }))
    }

    pub(super) fn not_compared(&self, because: impl fmt::Display) -> Checked {
        Checked::NotCompared(NotCompared {
            subject: Some(self.what.subject()),
            object: Some(self.object.clone()),
            account: Some(self.account.clone()),
            because: because.to_string(),
        })
    }

    pub(super) fn answered(&self, asked: ObjectAnswer, read_at: Timestamp) -> Checked {
        match asked {
            ObjectAnswer::There(object) => {
                Checked::Suspect(Suspect { subject: self.what.subject(), object, read_at })
            }
            ObjectAnswer::Missing => self.differs(NOTHING, StoredFigures::Existence),
            ObjectAnswer::Unanswered(because) => self.not_compared(because),
        }
    }
}

impl Reconciler {
    /// Reads one object by its id.
    pub(super) async fn ask(
        &self,
        subject: Subject,
        id: &ProviderId,
    ) -> Result<ObjectAnswer, ReconcileError> {
        let Some(place) = subject.place(id) else {
            return Ok(ObjectAnswer::Unanswered(format!("{id} is not how Stripe writes an id of its own")));
        };
        match self.client.object(&place).await {
            Ok(object) => {
                self.check_mode(&object)?;
                Ok(ObjectAnswer::There(object))
            }
            Err(CallError::Rejected(rejection)) if is_missing(&rejection) => Ok(ObjectAnswer::Missing),
            Err(CallError::Rejected(rejection)) => {
                let code = rejection.code.unwrap_or(rejection.kind);
                Ok(ObjectAnswer::Unanswered(format!("Stripe does not show it: {code}")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Checked {
    /// An unpaid invoice or an incomplete session contradicts the claim. Some objects do not have a status.
    pub(super) fn finished(self, claim: &StripeClaim) -> Self {
        let Self::Suspect(suspect) = self else { return self };
        let status = Document::new(&suspect.object).text("status");
        let other = status.filter(|status| {
            (suspect.is("invoice") && *status != "paid")
                || (suspect.is("checkout.session") && *status != "complete")
        });
        match other {
            Some(status) => claim.differs(format!("status {status}"), StoredFigures::End),
            None if suspect.is("charge") => claim.not_compared("a charge does not say what it was for"),
            None => Self::Suspect(suspect),
        }
    }

    pub(super) fn unless_open(self) -> Self {
        let is_open = |page: &Suspect| Document::new(&page.object).text("status") == Some("open");
        if matches!(&self, Self::Suspect(page) if is_open(page)) { Self::Holds } else { self }
    }

    /// An object that is only referred to has to exist. An invoice that was paid in the meantime is compared as paid.
    pub(super) fn named(self) -> Self {
        let Self::Suspect(suspect) = self else { return self };
        match (suspect.subject, Document::new(&suspect.object).text("status")) {
            (Subject::UnpaidInvoice, Some("paid")) => {
                Self::Suspect(Suspect { subject: Subject::PaidInvoice, ..suspect })
            }
            (Subject::UnpaidInvoice, Some("draft")) => Self::Holds,
            _ if suspect.is("charge") => Self::Holds,
            _ => Self::Suspect(suspect),
        }
    }
}
