//! How is something done once at Stripe? It is written down, then asked for, then its answer is written down; a
//! repetition is answered from there, or asks again in the same words under the same key.

use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};

use super::{Billing, BillingError, RepeatableAnswer};
use crate::{
    domain::ids::Actor,
    stripe::{calls::CallId, client::Change},
};

impl Billing {
    /// `request` says what to ask for, and is only worked out for a call that was never begun.
    pub(super) async fn once<A>(
        &self,
        id: &CallId,
        asked: &[u8; 32],
        request: impl Future<Output = Result<A, BillingError>> + Send,
    ) -> Result<RepeatableAnswer<A::Answer>, BillingError>
    where
        A: Change + Serialize + DeserializeOwned,
        A::Answer: Serialize + DeserializeOwned + Sync,
    {
        self.once_by(None, id, asked, request).await
    }

    /// The same, and it is told who asked for it.
    pub(super) async fn once_by<A>(
        &self,
        by: Option<&Actor>,
        id: &CallId,
        asked: &[u8; 32],
        request: impl Future<Output = Result<A, BillingError>> + Send,
    ) -> Result<RepeatableAnswer<A::Answer>, BillingError>
    where
        A: Change + Serialize + DeserializeOwned,
        A::Answer: Serialize + DeserializeOwned + Sync,
    {
        self.client()?;
        let kept = match self.find(id, asked).await? {
            Some(kept) => kept,
            None => self.begin(id, asked, request.await?, by).await?,
        };
        let answered = self.perform(id, kept).await?;
        if !answered.replayed {
            self.0.calls.done(id, &answered.answer, self.now()).await?;
        }
        Ok(answered)
    }
}
