//! What does a caller read when a command was done? What its events say, and nothing that changes afterwards.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};

use crate::{
    domain::{credits::Balance, event::Event},
    http::{failure::Failure, position::Token},
    ledger::Outcome,
};

use super::call::ApiCommand;

pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What was done, as it is written to the caller.
#[derive(Debug)]
pub struct CommandReply {
    pub status: StatusCode,
    pub replayed: bool,
    /// JSON.
    pub body: Vec<u8>,
}

/// What a command did, and how things stood after it.
pub struct Done<'a> {
    outcome: &'a Outcome,
    pub balance: Balance,
    pub position: Token,
}

impl<'a> Done<'a> {
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &'a Event> + use<'a> {
        self.outcome.events.iter().map(|recorded| &recorded.event)
    }

    /// What the command's own event says. What time brought comes before it, so the search begins at the end.
    pub fn find<T>(&self, read: impl FnMut(&'a Event) -> Option<T>) -> Option<T> {
        self.events().rev().find_map(read)
    }

    /// The account that it was done to.
    pub fn account(&self) -> Option<&'a str> {
        Some(self.outcome.events.first()?.account.as_str())
    }
}

impl CommandReply {
    /// The answer to a command that had this outcome.
    ///
    /// # Errors
    /// When the outcome lacks the event that the rules always write for such a command.
    pub fn to<C: ApiCommand>(outcome: &Outcome) -> Result<Self, Failure> {
        let missing = || Failure::unexpected("a command's outcome lacks its event");
        let balance = outcome.balance().ok_or_else(missing)?;
        let done = Done { outcome, balance, position: Token::of(outcome.position) };
        let reply = C::reply(&done).ok_or_else(missing)?;
        let body = serde_json::to_vec(&reply).map_err(Failure::fault)?;
        Ok(Self { status: C::STATUS, replayed: outcome.replayed, body })
    }

    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        if self.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
