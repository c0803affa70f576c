//! How is a plan carried out? Step by step, each so that it can be repeated.
//!
//! Unlike calls for accounts, the steps are not stored first. Changes set absolute values.
//! New objects have a key that follows from their contents, so that a repetition after a failure returns what was made
//! before.
//! When Stripe has forgotten the key, a day later, the plan finds the object by our own name: a product by its id, a
//! price by its lookup key, others by URL and metadata.
//! If Stripe still remembers a key whose object was deleted, the next plan shows that something is missing, and the
//! next round has other keys.

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

/// The results of the steps so far.
#[derive(Default)]
pub(super) struct SetupProgress {
    /// The price for new sales, by lookup key.
    pub current: BTreeMap<String, String>,
    /// The signing secret of a new endpoint.
    pub secret: Option<String>,
}

/// Carries out steps, with the number of the round.
pub(super) struct Performer<'a> {
    pub client: &'a Client,
    pub wanted: &'a DesiredState,
    pub round: usize,
}

impl Performer<'_> {
    /// Carries out one step, and returns the id of what was made or changed.
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
                // All prices were made by now: an earlier step made them, or failed.
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
        // Plain data can always be written as JSON.
        let text = serde_json::to_vec(&(object, made, self.round)).unwrap_or_default();
        let key = StripeKey::new(format!("counterfoil_setup_{}", hex::encode(Sha256::digest(text))));
        self.client.execute_once(made, &key).await
    }

    /// Makes a price the default before the earlier one is archived, since Stripe does not archive a default price.
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
