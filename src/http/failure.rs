//! How does an error become an answer?
//!
//! A handler returns a [`Failure`]; the edge writes it as a problem with the request's id, and logs its cause.
//! [`problems`](super::problems) says what each error means to a caller.

use std::{error::Error, fmt, sync::Arc};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::problems::{
    Explain, Explanation, Fault, Problem, ProblemCode, RequestError, RequestPart, Unavailable,
};

pub struct Failure(Box<Explanation>);

/// Leaves out what only the caller may see.
impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Failure");
        shown.field("code", &self.code().name).field("cause", &self.0.cause).finish_non_exhaustive()
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error.explain()))
    }
}

impl Failure {
    /// A field of the body that is not as expected.
    pub fn body(path: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::invalid(RequestPart::Body, path, expected)
    }

    pub fn address(name: &str, expected: impl Into<String>) -> Self {
        Self::invalid(RequestPart::Address, name, expected)
    }

    /// The cursor in the query is not one that an earlier page gave.
    pub fn unknown_cursor() -> Self {
        Self::query("cursor", "it is not a `next_cursor` of an earlier page")
    }

    pub fn query(name: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::invalid(RequestPart::Query, name, expected)
    }

    pub fn header(name: &str, expected: impl Into<String>) -> Self {
        Self::invalid(RequestPart::Header, name, expected)
    }

    fn invalid(part: RequestPart, path: impl Into<String>, expected: impl Into<String>) -> Self {
        RequestError::Invalid { part, path: path.into(), expected: expected.into() }.into()
    }

    /// A fault of the database or of this program.
    pub fn fault(cause: impl Error + Send + Sync + 'static) -> Self {
        Fault::of(cause).into()
    }

    /// An outcome that lacks what the rules always write.
    pub fn unexpected(what: &'static str) -> Self {
        Fault::Internal(what.into()).into()
    }

    /// All that the caller is told.
    #[must_use]
    pub const fn explanation(&self) -> &Explanation {
        &self.0
    }

    #[must_use]
    pub const fn code(&self) -> &'static ProblemCode {
        self.0.code
    }

    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.0.code.status
    }

    /// The cause of a fault, which is only logged.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }

    /// Whether the database is unavailable or full, so that a later attempt may succeed.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.0.cause.is_some() && self.code() == Unavailable::CODE
    }
}

impl IntoResponse for Failure {
    /// The edge writes the body, since it knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
