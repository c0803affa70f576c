//! How is a plan carried out? Step by step, each so that asking again does no harm.
//!
//! Nothing of it has to be written down first, unlike what is asked of Stripe for an account. What is set is set to a
//! value. What is made has a key that follows from what is made, so that a repetition after a cut is answered with
//! what was made before; and when the key is forgotten, a day later, the plan finds it by its own name: a product by
//! its id, a price by its lookup key, the rest by address and metadata. Where Stripe remembers under a key what was
//! deleted since, the plan that is made afterwards shows that something is still missing, and the next round has
//! other keys.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    desired::DesiredState,
    steps::{SetupChange, SetupObject, SetupStep},
};
use crate::stripe::{
    client::{
        self, CallError, Client,
        setup::{ChangePrice, ChangeProduct, SetPortal},
    },
    documents::StripeKey,
};

/// What came of the steps so far.
#[derive(Default)]
pub(super) struct SetupProgress {
    /// By lookup key, the price that new sales use.
    pub current: BTreeMap<String, String>,
    /// What a new endpoint signs with.
    pub secret: Option<String>,
}

/// Who asks, and how often the whole was tried before.
pub(super) struct Performer<'a> {
    pub client: &'a Client,
    pub wanted: &'a DesiredState,
    pub round: usize,
}

impl Performer<'_> {
    /// Does one step, and answers the id of what was made or changed.
    pub async fn perform(
        &self,
        step: &SetupStep,
        done: &mut SetupProgress,
    ) -> Result<Option<String>, CallError> {
        let Some(change) = &step.change else { return Ok(None) };
        let id = match change {
            SetupChange::MakeProduct(made) => self.make(step.object, made).await?.id,
            SetupChange::ChangeProduct(change) => self.client.read(change).await?.id,
            SetupChange::MakePrice(made) => {
                let id = self.make(step.object, made).await?.id;
                done.current.insert(made.lookup_key.clone(), id.clone());
                id
            }
            SetupChange::ChangePrice(change) => self.client.read(change).await?.id,
            SetupChange::ReplacePrice { old, default_of, lookup_key } => {
                let current = done.current.get(lookup_key).cloned();
                self.replace(old, default_of.as_ref(), current).await?
            }
            SetupChange::SetPortal { id, portal } => {
                // Every price has been made by now: the steps before this one did it, or ended all of it.
                let offer = portal.offer(&done.current).ok_or(CallError::Unavailable)?;
                let set = SetPortal { id: id.clone(), offer, metadata: self.wanted.metadata() };
                match id {
                    Some(_) => self.client.read(&set).await?.id,
                    None => self.make(step.object, &set).await?.id,
                }
            }
            SetupChange::MakeEndpoint(made) => {
                let made = self.make(step.object, made).await?;
                done.secret = made.secret;
                made.id
            }
            SetupChange::ChangeEndpoint(change) => self.client.read(change).await?.id,
        };
        Ok(Some(id))
    }

    async fn make<A: client::Change + Serialize>(
        &self,
        object: SetupObject,
        made: &A,
    ) -> Result<A::Answer, CallError> {
        // Plain data: writing it as JSON cannot fail.
        let text = serde_json::to_vec(&(object, made, self.round)).unwrap_or_default();
        let key = StripeKey::new(format!("counterfoil_setup_{}", hex::encode(Sha256::digest(text))));
        self.client.execute_once(made, &key).await
    }

    /// Stripe archives no price that a product has by default.
    async fn replace(
        &self,
        old: &str,
        default_of: Option<&String>,
        current: Option<String>,
    ) -> Result<String, CallError> {
        if let Some(product) = default_of {
            let change =
                ChangeProduct { id: product.clone(), default_price: current, ..ChangeProduct::default() };
            self.client.read(&change).await?;
        }
        let change = ChangePrice { id: old.to_owned(), active: Some(false), ..ChangePrice::default() };
        Ok(self.client.read(&change).await?.id)
    }
}
