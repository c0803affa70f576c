//! How is something done exactly once at Stripe, whatever fails?
//! The request is stored, then sent, then recorded by the ledger, and then the answer is stored.
//! A repetition is answered from there, or sends the same request under the same key.
//!
//! Every operation is run in this way, for callers and for the program itself.

use std::future::{Future, ready};

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{Billing, BillingError, RepeatableAnswer};
use crate::{
    domain::{
        ids::{AccountId, Actor},
        recorded::{JournalPosition, Origin},
    },
    ledger::Provenance,
    stripe::{
        calls::{CallAttempt, CallId, CallOutcome, CallStart, Operation, StoredCall},
        client::{self, CallError, Change, Client, StoredPayment, StripeCall},
        documents::StripeKey,
    },
};

/// The actor of what the program does by itself.
const ITSELF: &str = "clock";

/// The request of an operation. The request and a part of the answer are stored.
pub(super) trait RecordedCall:
    Change<Answer: Send + Sync> + Serialize + DeserializeOwned + Send
{
    /// The part of the answer that is stored.
    type Stored: Serialize + DeserializeOwned + Send + Sync;

    fn store(answer: &Self::Answer) -> Self::Stored;

    /// Sends the request. For one key it is carried out once, however often it is sent.
    fn send(
        &self,
        client: &Client,
        key: &StripeKey,
    ) -> impl Future<Output = Result<Self::Answer, CallError>> + Send {
        client.execute_once(self, key)
    }

    /// Finds out about a call whose caller has left: Stripe gets the same request under the same key.
    fn find_out(billing: &Billing, id: &CallId) -> impl Future<Output = Result<(), BillingError>> + Send {
        billing.complete::<Self>(id)
    }

    /// Has the ledger record what Stripe has done, before the answer is stored: until then the call stays open, so that
    /// a repetition completes it.
    fn note(
        _billing: &Billing,
        _done: DoneCall<'_, Self>,
    ) -> impl Future<Output = Result<Option<JournalPosition>, BillingError>> + Send {
        ready(Ok(None))
    }
}

/// What the ledger may record.
pub(super) struct DoneCall<'a, C: RecordedCall> {
    pub order: &'a CallOrder,
    pub call: &'a StoredCall<C, C::Stored>,
    pub stored: &'a C::Stored,
    /// Whether it was done and recorded before.
    pub replayed: bool,
}

/// An operation to carry out once.
#[derive(Clone, Debug)]
pub(super) struct CallOrder {
    pub id: CallId,
    /// A hash by which repetitions are compared.
    asked: [u8; 32],
    /// Who requested it.
    by: Option<Actor>,
    /// `None`: the program itself completes it.
    provenance: Option<Provenance>,
}

/// The result.
pub(super) struct Reply<C: RecordedCall> {
    pub stored: C::Stored,
    /// Stripe's complete answer. `None`: it is a repetition.
    pub answer: Option<C::Answer>,
    /// The position at which the ledger recorded it.
    pub position: Option<JournalPosition>,
}

impl CallOrder {
    pub fn new(account: &AccountId, operation: Operation, key: &str, asked: &impl Serialize) -> Self {
        let id = CallId { account: account.clone(), operation, key: key.to_owned() };
        Self { id, asked: hash(asked), by: None, provenance: None }
    }

    /// Sets who requested it.
    pub fn by(self, actor: &Actor) -> Self {
        Self { by: Some(actor.clone()), ..self }
    }

    /// Whether a caller waits for the answer.
    pub const fn is_awaited(&self) -> bool {
        self.provenance.is_some()
    }

    /// Sets the origin of what the ledger records.
    pub fn from(self, provenance: Provenance) -> Self {
        Self { provenance: Some(provenance), ..self }
    }
}

impl<C: RecordedCall> DoneCall<'_, C> {
    /// The origin: of the caller, or of the one who requested it and has left.
    pub fn provenance(&self) -> Result<Provenance, BillingError> {
        let given = self.order.provenance.clone();
        given.map_or_else(|| by_itself(self.call.begun.by.clone()), Ok)
    }
}

impl<C: RecordedCall> Reply<C> {
    pub fn repeatable(self) -> RepeatableAnswer<C::Stored> {
        RepeatableAnswer { replayed: self.answer.is_none(), answer: self.stored }
    }
}

impl Billing {
    /// Carries out an operation once. `request` makes the request, and is only called if there is no stored one.
    pub(super) async fn run<C: RecordedCall>(
        &self,
        order: &CallOrder,
        request: impl Future<Output = Result<C, BillingError>> + Send,
    ) -> Result<Reply<C>, BillingError> {
        self.client()?;
        let call = match self.find(order).await? {
            Some(call) => call,
            None => self.begin(order, request.await?).await?,
        };
        self.perform(order, call).await
    }

    /// Completes a stored call whose caller has left.
    pub(super) async fn complete<C: RecordedCall>(&self, id: &CallId) -> Result<(), BillingError> {
        match self.find_open::<C>(id).await? {
            Some((order, call)) => self.perform(&order, call).await.map(drop),
            None => Ok(()),
        }
    }

    /// The stored request with this id, whatever its fingerprint.
    pub(super) async fn find_open<C: RecordedCall>(
        &self,
        id: &CallId,
    ) -> Result<Option<(CallOrder, StoredCall<C, C::Stored>)>, BillingError> {
        let call: Option<StoredCall<C, C::Stored>> = self.0.calls.find(id).await?;
        Ok(call.map(|call| {
            let order = CallOrder { id: id.clone(), asked: call.asked, by: None, provenance: None };
            (order, call)
        }))
    }

    /// An earlier call with this id, if it is for the same request.
    pub(super) async fn find<C: RecordedCall>(
        &self,
        order: &CallOrder,
    ) -> Result<Option<StoredCall<C, C::Stored>>, BillingError> {
        let call: Option<StoredCall<C, C::Stored>> = self.0.calls.find(&order.id).await?;
        match call {
            Some(call) if call.asked != order.asked => Err(BillingError::KeyReused),
            call => Ok(call),
        }
    }

    /// Stores the request, unless another attempt has done so, and returns the stored one.
    pub(super) async fn begin<C: RecordedCall>(
        &self,
        order: &CallOrder,
        request: C,
    ) -> Result<StoredCall<C, C::Stored>, BillingError> {
        let CallOrder { id, asked, by, .. } = order;
        let begun = CallStart { at: self.now(), by: by.clone() };
        let is_new = self.0.calls.begin(id, asked, &request, &begun).await?;
        let taken = if is_new { None } else { self.find(order).await? };
        Ok(taken.unwrap_or_else(|| StoredCall {
            key: id.stripe_key(),
            asked: *asked,
            request,
            outcome: CallOutcome::Open,
            asked_before: false,
            begun,
        }))
    }

    /// Sends the stored request, unless its outcome is known.
    pub(super) async fn perform<C: RecordedCall>(
        &self,
        order: &CallOrder,
        mut call: StoredCall<C, C::Stored>,
    ) -> Result<Reply<C>, BillingError> {
        let stored = match settled(std::mem::replace(&mut call.outcome, CallOutcome::Open))? {
            Some(stored) => stored,
            None => match self.begin_attempt(&order.id, &call.request, call.asked_before).await? {
                Some(attempt) => {
                    let answer = call.request.send(self.client()?, &call.key).await;
                    self.record_failure(&order.id, &attempt, answer.as_ref().err()).await?;
                    return self.conclude(order, &call, answer?).await;
                }
                None => self.settled_meanwhile::<C>(&order.id).await?,
            },
        };
        let done = DoneCall { order, call: &call, stored: &stored, replayed: true };
        let position = C::note(self, done).await?;
        Ok(Reply { stored, answer: None, position })
    }

    /// Records and stores what Stripe has done.
    pub(super) async fn conclude<C: RecordedCall>(
        &self,
        order: &CallOrder,
        call: &StoredCall<C, C::Stored>,
        answer: C::Answer,
    ) -> Result<Reply<C>, BillingError> {
        let stored = C::store(&answer);
        let done = DoneCall { order, call, stored: &stored, replayed: false };
        let position = C::note(self, done).await?;
        self.0.calls.done(&order.id, &stored, self.now()).await?;
        Ok(Reply { stored, answer: Some(answer), position })
    }

    /// Returns an outcome that another attempt has found out.
    /// Stripe is not called, since it may have forgotten the key.
    async fn settled_meanwhile<C: RecordedCall>(&self, id: &CallId) -> Result<C::Stored, BillingError> {
        let call: Option<StoredCall<C, C::Stored>> = self.0.calls.find(id).await?;
        let settled = call.map(|call| settled(call.outcome)).transpose()?;
        settled.flatten().ok_or(BillingError::OutcomeUnknown)
    }

    /// Begins an attempt, which may take effect at Stripe from now on. `None`: the outcome is known by now.
    ///
    /// Everything that takes money comes through here.
    /// What may have begun while billing was on for the account is completed.
    pub(super) async fn begin_attempt(
        &self,
        id: &CallId,
        request: &impl Change,
        asked_before: bool,
    ) -> Result<Option<CallAttempt>, BillingError> {
        if request.begins_charge() && !asked_before {
            self.state_of(&id.account).check()?;
        }
        let now = self.now();
        let attempt = self.0.calls.begin_attempt(id, now).await.map_err(BillingError::Storage)?;
        if attempt.as_ref().is_some_and(|attempt| attempt.is_too_late(now)) {
            return Err(BillingError::OutcomeLost);
        }
        Ok(attempt)
    }

    /// Stores what is known after a failure.
    /// Only if there was no earlier attempt is it certain that nothing has happened.
    async fn record_failure(
        &self,
        id: &CallId,
        attempt: &CallAttempt,
        error: Option<&CallError>,
    ) -> Result<(), BillingError> {
        match error {
            None | Some(CallError::OutcomeUnknown) => {}
            Some(CallError::Rejected(rejection)) => {
                self.0.calls.rejected(id, rejection, self.now()).await?;
            }
            Some(CallError::Unavailable | CallError::KeyNotTaken) => {
                let untouched = self.0.calls.mark_not_sent(id, attempt, self.now()).await;
                if !untouched.map_err(BillingError::Storage)? {
                    return Err(BillingError::OutcomeUnknown);
                }
            }
        }
        Ok(())
    }
}

pub(super) fn itself() -> Result<Actor, BillingError> {
    Actor::parse(ITSELF).map_err(|_| BillingError::OutcomeUnknown)
}

/// The origin of a command that completes what somebody requested who has left.
fn by_itself(asked: Option<Actor>) -> Result<Provenance, BillingError> {
    let actor = asked.map_or_else(itself, Ok)?;
    let (origin, correlation_id, causation_id, stripe_event) = (Origin::Clock, None, None, None);
    Ok(Provenance { actor, origin, correlation_id, causation_id, stripe_event })
}

/// The outcome of a call, if it is known.
fn settled<S>(outcome: CallOutcome<S>) -> Result<Option<S>, BillingError> {
    match outcome {
        CallOutcome::Open => Ok(None),
        CallOutcome::Done(stored) => Ok(Some(stored)),
        CallOutcome::Rejected(rejection) => Err(BillingError::Rejected(rejection)),
        CallOutcome::Lost => Err(BillingError::OutcomeLost),
    }
}

fn hash(asked: &impl Serialize) -> [u8; 32] {
    // Requests are plain data that can always be written as JSON.
    Sha256::digest(serde_json::to_vec(asked).unwrap_or_default()).into()
}

/// Stores the complete answer.
macro_rules! kept_whole {
    ($($call:ident),*) => {$(
        impl RecordedCall for client::$call {
            type Stored = <Self as StripeCall>::Answer;

            fn store(answer: &Self::Answer) -> Self::Stored {
                answer.clone()
            }
        }
    )*};
}

/// Stores only the id: the client secret is for the person's browser only, and Stripe has the current state of a
/// payment.
macro_rules! kept_by_id {
    ($($call:ident),*) => {$(
        impl RecordedCall for client::$call {
            type Stored = StoredPayment;

            fn store(answer: &Self::Answer) -> Self::Stored {
                StoredPayment { id: answer.id.clone() }
            }
        }
    )*};
}

kept_whole!(MakeCustomer, ExpireCheckout, OpenPortal, AttachMethod, DetachMethod, MakeRefund);
kept_whole!(OpenSchedule, ReleaseSchedule);
kept_by_id!(MakePayment, CapturePayment, CancelPayment);
