//! Does the ledger know an object, and if not, why not?

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{
    ReconcileError, Reconciler, Subject,
    compare::{difference, running},
    difference::{ObjectDifference, status},
    links::LinkComparison,
    report::{Drift, MissingEvent, NotCompared, UntoldCause},
    suspect::Suspect,
    unsaid::{left_out, unsaid},
    untold::{UntoldObject, untold},
};
use crate::{
    domain::{
        account::Account,
        ids::{AccountId, ProviderId},
        time::Timestamp,
    },
    journal::load::LoadError,
    ledger::ViewError,
    stripe::{
        client::CallError,
        documents::{Document, envelope::Envelope},
        inbound::{
            accounts::{AccountLookup, LookupKeys, NotFound},
            discounts,
            inbox::InboxState,
            invoice_lines::{self, NoLines},
        },
        translate::{Instructions, OwnerLookup, SetAside, Translation, translate},
    },
};

/// The prefix of the ids of events that are made for objects.
const REBUILT: &str = "evt_reconcile";
/// How many hexadecimal digits of a hash follow the prefix.
const DIGITS: usize = 24;
/// For how long the terms of one subscription's discounts are waited for.
const DISCOUNTS_PATIENCE: Duration = Duration::from_secs(30);

/// The result for a suspect.
pub(super) enum Judgement {
    /// The ledger says the same, or the object is not about an account.
    Fine,
    /// A refund, a dispute or a payment of something that the ledger does not know, or not yet.
    Unowned,
    NotCompared(NotCompared),
    Drift {
        drift: Box<Drift>,
        /// An event that would report it, if Stripe has none.
        remedy: Option<Value>,
    },
}

/// What the ledger says about an object.
enum LedgerStatement {
    Known,
    /// The payment that it returns money of is not known.
    OfNothingKnown,
    NotCompared {
        account: Option<AccountId>,
        because: String,
    },
    Otherwise {
        account: Option<AccountId>,
        difference: ObjectDifference,
    },
}

impl LedgerStatement {
    /// A difference that belongs to no account.
    fn by_nobody(stripe: String) -> Self {
        Self::Otherwise { account: None, difference: ObjectDifference::unknown(stripe) }
    }

    fn of(account: AccountId, difference: Option<ObjectDifference>) -> Self {
        match difference {
            Some(difference) => Self::Otherwise { account: Some(account), difference },
            None => Self::Known,
        }
    }
}

impl Reconciler {
    pub(super) async fn judge(
        &self,
        suspect: &mut Suspect,
        missing: &[MissingEvent],
    ) -> Result<Judgement, ReconcileError> {
        let kind = suspect.subject.event_type(Document::new(&suspect.object));
        let Some(object) = suspect.id() else { return Ok(Judgement::Fine) };
        let said = match self.translate_whole(suspect, kind).await? {
            Ok(instructions) => self.compare(suspect, instructions).await?,
            Err(SetAside::Ignored(because)) => self.compare_untold(suspect, &object, &because).await?,
            Err(SetAside::Quarantined(because)) => LedgerStatement::NotCompared { account: None, because },
            Err(SetAside::NeedsReviewIfOurs { owner, .. }) if !self.is_ours(owner.clone()).await? => {
                LedgerStatement::Known
            }
            Err(
                SetAside::NeedsReview(because)
                | SetAside::Incomplete(because)
                | SetAside::NeedsReviewIfOurs { because, .. },
            ) => self.compare_unreadable(suspect, &object, because).await?,
        };
        let (account, difference) = match said {
            LedgerStatement::Known => return Ok(Judgement::Fine),
            LedgerStatement::OfNothingKnown => return Ok(Judgement::Unowned),
            LedgerStatement::NotCompared { account, because } => {
                let (subject, object) = (Some(suspect.subject), Some(object));
                return Ok(Judgement::NotCompared(NotCompared { subject, object, account, because }));
            }
            LedgerStatement::Otherwise { account, difference } => (account, difference),
        };
        let drift = Drift {
            subject: suspect.subject,
            object,
            account,
            stripe_says: difference.stripe.join("; "),
            ledger_says: difference.ledger.join("; "),
            event_type: kind,
            cause: match difference.kept.filter(|_| !difference.is_mendable) {
                Some(because) => UntoldCause::Kept { because },
                None => UntoldCause::NoEvent,
            },
            repaired: false,
        };
        let id = rebuilt_id(&drift, difference.replaces.as_ref());
        let remedy = suspect.event(kind, &id, self.deployment.mode.is_live());
        self.explain(drift, remedy, suspect.read_at, missing).await
    }

    /// An event that was handled may not be readable any more, such as an invoice for an item that its subscription had
    /// then.
    async fn compare_unreadable(
        &self,
        suspect: &Suspect,
        object: &ProviderId,
        because: String,
    ) -> Result<LedgerStatement, ReconcileError> {
        let told = self.inbox.newest_about(object, suspect.subject.told_by()).await?;
        let was_handled =
            told.is_some_and(|told| matches!(told.state, InboxState::Processed | InboxState::Ignored));
        Ok(if was_handled {
            LedgerStatement::NotCompared { account: None, because }
        } else {
            LedgerStatement::by_nobody(format!("what cannot be processed: {because}"))
        })
    }

    /// An invoice or a checkout that was only listed in part is read completely first.
    async fn translate_whole(
        &self,
        suspect: &mut Suspect,
        kind: &str,
    ) -> Result<Translation, ReconcileError> {
        let event = suspect.event(kind, REBUILT, self.deployment.mode.is_live());
        let event = match Envelope::of(&event) {
            Ok(event) => event,
            Err(error) => return Ok(Err(SetAside::NeedsReview(error.to_string()))),
        };
        let event = self.with_discounts(event).await?;
        let read = |event: &Envelope| translate(event, self.ledger.catalog(), &self.deployment);
        let (event, translation) = match invoice_lines::read_whole(Some(&self.client), event, read).await {
            Ok(whole) => whole,
            // These errors are about this invoice; all others are about Stripe.
            Err(error @ (NoLines::TooMany | NoLines::NotAnswered(CallError::Rejected(_)))) => {
                return Ok(Err(SetAside::Incomplete(error.to_string())));
            }
            Err(NoLines::NotAnswered(error)) => return Err(error.into()),
        };
        suspect.object = event.object().and_then(Document::to_value).unwrap_or_default();
        Ok(translation)
    }

    /// Its revenue depends on its discounts, of which an object only has the ids.
    async fn with_discounts(&self, event: Envelope) -> Result<Envelope, ReconcileError> {
        let named: Vec<String> = discounts::named(&event).into_iter().collect();
        let known = self.inbox.coupons(&named).await?;
        let until = Instant::now() + DISCOUNTS_PATIENCE;
        let filled = discounts::fill(Some(&self.client), event, &known, until).await;
        self.inbox.keep_coupons(&filled.told).await?;
        Ok(filled.event)
    }

    async fn compare(
        &self,
        suspect: &Suspect,
        instructions: Instructions,
    ) -> Result<LedgerStatement, ReconcileError> {
        let known = self.known(&instructions).await?;
        let foreign = instructions.about.as_ref().and_then(|about| known.is_foreign(about));
        if let Some(because) = foreign {
            return Ok(LedgerStatement::by_nobody(format!("what cannot be processed: {because}")));
        }
        let account = match known.account_of(&instructions) {
            Ok(account) => account,
            Err(NotFound::Yet(_)) if instructions.owner.payment().is_some() => {
                return Ok(LedgerStatement::OfNothingKnown);
            }
            Err(NotFound::Yet(because) | NotFound::Contradiction(because)) => {
                return Ok(LedgerStatement::by_nobody(format!("what is nobody's: {because}")));
            }
        };
        let view = match self.ledger.view(&account).await {
            Ok(view) => view,
            Err(error @ ViewError::Load(LoadError::Database(_))) => return Err(error.into()),
            // One damaged account does not stop the comparison of others.
            Err(error) => {
                return Ok(LedgerStatement::by_nobody(format!("what {account} cannot be told: {error}")));
            }
        };
        let mut difference = difference(&view.account, &instructions.steps, self.ledger.catalog());
        difference = difference.or_else(|| unsaid(&view.account, suspect));
        if difference.is_none() {
            match self.compare_rest(&view.account, suspect, &instructions).await? {
                LinkComparison::Same => {}
                LinkComparison::Otherwise(share) => difference = Some(share),
                LinkComparison::NotCompared(because) => {
                    return Ok(LedgerStatement::NotCompared { account: Some(account), because });
                }
            }
        }
        let had_by = instructions.about.as_ref().and_then(|about| known.has(&about.subscription));
        if let Some((difference, had_by)) =
            difference.as_mut().zip(had_by.filter(|had_by| **had_by != account))
        {
            difference.note(format!("it is {account}'s"), format!("it is {had_by}'s"));
        }
        Ok(LedgerStatement::of(account, difference))
    }

    /// Compares what is only known in part, or by other objects.
    async fn compare_rest(
        &self,
        account: &Account,
        suspect: &Suspect,
        instructions: &Instructions,
    ) -> Result<LinkComparison, ReconcileError> {
        match left_out(account, &instructions.steps) {
            Some(because) => Ok(LinkComparison::NotCompared(because)),
            None => self.compare_share(account, suspect).await,
        }
    }

    /// Whether the object belongs to a known account.
    async fn is_ours(&self, owner: OwnerLookup) -> Result<bool, ReconcileError> {
        let instructions = Instructions { owner, about: None, steps: Vec::new() };
        Ok(self.known(&instructions).await?.account_of(&instructions).is_ok())
    }

    /// Compares an object from which no command follows. The ledger must not contradict it.
    async fn compare_untold(
        &self,
        suspect: &Suspect,
        object: &ProviderId,
        because: &str,
    ) -> Result<LedgerStatement, ReconcileError> {
        if suspect.subject == Subject::Subscription {
            return self.compare_unstarted(object, because).await;
        }
        let document = Document::new(&suspect.object);
        let Some(bought) = suspect.subject.bought(document) else { return Ok(LedgerStatement::Known) };
        let keys = LookupKeys { payments: [bought.as_str()].into(), ..LookupKeys::default() };
        let Some(account) = self.inbox.accounts(&keys).await?.payments.remove(&bought) else {
            return Ok(LedgerStatement::Known);
        };
        let Some(view) = self.account(&account).await? else {
            let because = "its account cannot be read".to_owned();
            return Ok(LedgerStatement::NotCompared { account: Some(account), because });
        };
        let money = suspect.subject.paid(document);
        let status = document.text("status").filter(|_| suspect.subject == Subject::UnpaidInvoice);
        let because = status.unwrap_or(because);
        let told = UntoldObject { object, bought: &bought, money: money.as_ref(), because };
        match untold(&view, suspect.subject, told) {
            None => {}
            difference => return Ok(LedgerStatement::of(account, difference)),
        }
        Ok(match self.compare_share(&view, suspect).await? {
            LinkComparison::Same => LedgerStatement::Known,
            LinkComparison::Otherwise(difference) => LedgerStatement::of(account, Some(difference)),
            LinkComparison::NotCompared(because) => {
                LedgerStatement::NotCompared { account: Some(account), because }
            }
        })
    }

    /// Compares a subscription without commands because its first payment was never made. It must not give a plan here.
    async fn compare_unstarted(
        &self,
        subscription: &ProviderId,
        because: &str,
    ) -> Result<LedgerStatement, ReconcileError> {
        Ok(match self.running(subscription).await? {
            Some((account, runs)) => {
                let mut difference = ObjectDifference::default();
                difference.note(because, runs);
                LedgerStatement::Otherwise { account: Some(account), difference }
            }
            None => LedgerStatement::Known,
        })
    }

    /// The account in which a subscription gives a plan, and its state there.
    pub(super) async fn running(
        &self,
        subscription: &ProviderId,
    ) -> Result<Option<(AccountId, String)>, ReconcileError> {
        let keys = LookupKeys { subscriptions: [subscription.as_str()].into(), ..LookupKeys::default() };
        let known = self.inbox.accounts(&keys).await?;
        let Some(account) = known.has(subscription) else { return Ok(None) };
        let known = self.account(account).await?;
        let runs = known.as_ref().and_then(|known| running(known, subscription)).map(|terms| {
            let status = status(terms.status);
            (account.clone(), format!("status {status}, plan {}", terms.plan))
        });
        Ok(runs)
    }

    /// The account. `None`: it is damaged.
    pub(super) async fn account(&self, id: &AccountId) -> Result<Option<Account>, ReconcileError> {
        match self.ledger.view(id).await {
            Ok(view) => Ok(Some(view.account)),
            Err(error @ ViewError::Load(LoadError::Database(_))) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    async fn known(&self, instructions: &Instructions) -> Result<AccountLookup, ReconcileError> {
        let event = (&instructions.owner, instructions.about.as_ref());
        Ok(self.inbox.accounts(&LookupKeys::of(std::iter::once(event))).await?)
    }

    /// Explains a difference by the newest event about the object: it was not processed, or will be soon.
    async fn explain(
        &self,
        mut drift: Drift,
        remedy: Value,
        read_at: Timestamp,
        missing: &[MissingEvent],
    ) -> Result<Judgement, ReconcileError> {
        let told = self.inbox.newest_about(&drift.object, drift.subject.told_by()).await?;
        let unprocessed = match told {
            Some(told) => match told.state {
                // It will be handled soon, or an operator decided that it is not.
                InboxState::Received | InboxState::Discarded => return Ok(Judgement::Fine),
                // The report is newer than the object, and says more.
                InboxState::Processed if told.created > read_at => return Ok(Judgement::Fine),
                InboxState::Processed | InboxState::Ignored => None,
                InboxState::Waiting
                | InboxState::Dead
                | InboxState::Quarantined
                | InboxState::NotHandledYet => Some(told),
            },
            None => None,
        };
        let never_came = missing.iter().find(|event| {
            !event.repaired
                && event.object.as_ref() == Some(&drift.object)
                && drift.subject.told_by().contains(&event.kind.as_str())
        });
        let is_mendable = unprocessed.is_none() && !matches!(drift.cause, UntoldCause::Kept { .. });
        drift.cause = match (unprocessed, never_came) {
            (Some(told), _) => {
                UntoldCause::EventUnprocessed { event: told.event, state: told.state, reason: told.reason }
            }
            (None, Some(event)) => UntoldCause::EventMissing { event: event.event.clone() },
            (None, None) => drift.cause,
        };
        Ok(Judgement::Drift { drift: Box::new(drift), remedy: is_mendable.then_some(remedy) })
    }
}

/// The same correction has the same id: the same object and contents, instead of the same report.
fn rebuilt_id(drift: &Drift, replaces: Option<&ProviderId>) -> String {
    let replaces = replaces.map_or("", ProviderId::as_str);
    let parts = [drift.object.as_str(), drift.event_type, &drift.stripe_says, replaces];
    let hash = hex::encode(Sha256::digest(parts.join("\n")));
    format!("{REBUILT}_{}", hash.get(..DIGITS).unwrap_or(&hash))
}
