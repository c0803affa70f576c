//! May this caller do this, to this account? It is checked before anything else of the request is read.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use crate::{
    auth::keys::{Caller, KeyScope},
    domain::{ids::AccountId, recorded::Origin},
    http::{
        failure::Failure,
        openapi::{Input, Inputs},
        problems::{AccessError, RequestError},
    },
    ledger::Provenance,
};

use super::RequestId;

/// The caller, as routes find it in a request.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub caller: Arc<Caller>,
    pub request_id: RequestId,
}

/// The scopes of which a route needs one.
pub trait Need: Send + Sync + 'static {
    const SCOPES: &'static [KeyScope];
}

macro_rules! needs {
    ($($(#[$documentation:meta])* $name:ident: $($scope:ident)|+;)+) => {$(
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Need for $name {
            const SCOPES: &'static [KeyScope] = &[$(KeyScope::$scope),+];
        }
    )+};
}

needs! {
    /// Spends credits, or prepares an account for that.
    Deducts: Deduct;
    /// Sees what an account holds. Keys that spend may look first.
    Reads: Read;
    /// Sees which accounts there are.
    Lists: Read | Operate;
    /// Asks for prices.
    Quotes: Deduct | Read;
    Bills: Billing;
    Audits: Audit;
    Operates: Operate;
    /// Sees the state of the server, which names no account.
    Watches: Read | Operate;
    /// Sends commands of any kind; each is checked by itself.
    Commands: Deduct | Operate;
    /// Only for `admin`.
    Administers: Admin;
}

/// A caller that may use this route for the account in its path.
#[derive(Debug)]
pub struct AccountOf<N> {
    pub account: AccountId,
    pub caller: Arc<Caller>,
    pub request_id: RequestId,
    need: PhantomData<N>,
}

/// A caller that may use this route for all accounts together.
#[derive(Debug)]
pub struct All<N> {
    pub caller: Arc<Caller>,
    need: PhantomData<N>,
}

impl<S: Send + Sync, N: Need> FromRequestParts<S> for AccountOf<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Authenticated { caller, request_id } = asker(parts, N::SCOPES)?;
        let account = parameter(parts, state, "account").await?;
        let account =
            AccountId::parse(&account).map_err(|error| Failure::address("account", error.to_string()))?;
        if !caller.may_use(&account) {
            return Err(AccessError::AccountNotAllowed.into());
        }
        Ok(Self { account, caller, request_id, need: PhantomData })
    }
}

impl<S: Send + Sync, N: Need> FromRequestParts<S> for All<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let asker = asker(parts, N::SCOPES)?;
        let Authenticated { caller, .. } = asker;
        if caller.may_use_all() {
            return Ok(Self { caller, need: PhantomData });
        }
        Err(AccessError::AccountNotAllowed.into())
    }
}

/// A caller that may use this route for accounts that are named in the body.
#[derive(Debug)]
pub struct Several<N> {
    pub caller: Arc<Caller>,
    pub request_id: RequestId,
    need: PhantomData<N>,
}

impl<S: Send + Sync, N: Need> FromRequestParts<S> for Several<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Authenticated { caller, request_id } = asker(parts, N::SCOPES)?;
        Ok(Self { caller, request_id, need: PhantomData })
    }
}

impl<N: Need> Input for AccountOf<N> {
    const INPUTS: Inputs = Inputs { scopes: N::SCOPES, ..Inputs::NONE };
}

impl<N: Need> Input for All<N> {
    const INPUTS: Inputs = Inputs { scopes: N::SCOPES, ..Inputs::NONE };
}

impl<N: Need> Input for Several<N> {
    const INPUTS: Inputs = Inputs { scopes: N::SCOPES, ..Inputs::NONE };
}

fn asker(parts: &mut Parts, scopes: &'static [KeyScope]) -> Result<Authenticated, AccessError> {
    // On a route without authentication there is no caller, and every request is refused.
    let asker = parts.extensions.remove::<Authenticated>().ok_or(AccessError::NoKey)?;
    if asker.caller.may(scopes) { Ok(asker) } else { Err(AccessError::ScopeMissing(scopes)) }
}

/// A decoded part of the path, by its name.
///
/// # Errors
/// If it is not text.
pub async fn parameter<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<String, Failure> {
    let parameters = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|error| Failure::address(name, error.body_text()))?;
    let found = parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    Ok(found.ok_or(RequestError::RouteNotFound)?)
}

/// The origin of a command of this caller.
#[must_use]
pub fn provenance(caller: &Caller, request_id: &RequestId) -> Provenance {
    Provenance {
        actor: caller.actor.clone(),
        origin: Origin::Api,
        correlation_id: request_id.of_caller().map(str::to_owned),
        causation_id: None,
        stripe_event: None,
    }
}
