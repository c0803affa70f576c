//! What does an operation take? It follows from its handler's arguments: the scopes, the key, and the body.

use axum::{
    extract::{Path, Request, State},
    http::HeaderMap,
};
use utoipa::openapi::{
    Ref, RefOr, Required,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

use crate::auth::keys::KeyScope;

/// Whether an operation takes an `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    None,
    Required,
    /// Needed if the body has no id of its own.
    OrOwnId,
}

/// What all arguments of a handler say together.
#[derive(Clone, Copy, Debug)]
pub struct Inputs {
    /// Empty: no key is needed.
    pub scopes: &'static [KeyScope],
    pub key: KeyRule,
    /// Whether a JSON body is read.
    pub json: bool,
}

impl Inputs {
    pub const NONE: Self = Self { scopes: &[], key: KeyRule::None, json: false };

    const fn and(self, other: Self) -> Self {
        Self {
            scopes: if other.scopes.is_empty() { self.scopes } else { other.scopes },
            key: if matches!(other.key, KeyRule::None) { self.key } else { other.key },
            json: self.json || other.json,
        }
    }
}

/// What one argument says. An extractor that says nothing uses the defaults.
pub trait Input {
    const INPUTS: Inputs = Inputs::NONE;
}

impl<S> Input for State<S> {}
impl Input for HeaderMap {}
impl Input for Request {}
impl<T> Input for Path<T> {}

/// A function with the arguments `A`.
pub trait HandlerInputs<A> {
    const INPUTS: Inputs;
}

/// What a handler takes.
pub const fn inputs_of<A, H: HandlerInputs<A>>(_: &H) -> Inputs {
    H::INPUTS
}

macro_rules! handlers {
    ($($argument:ident)*) => {
        impl<F, R, $($argument: Input),*> HandlerInputs<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R,
        {
            const INPUTS: Inputs = Inputs::NONE$(.and($argument::INPUTS))*;
        }
    };
}

handlers!();
handlers!(A);
handlers!(A B);
handlers!(A B C);
handlers!(A B C D);
handlers!(A B C D E);

impl KeyRule {
    pub(super) fn parameter(self) -> Option<Parameter> {
        let (required, description) = match self {
            Self::None => return None,
            Self::Required => (
                Required::True,
                "New for each new request, and the same when it is repeated: a repetition has no further effect, \
                 and is answered the same. Never forgotten, unless the operation says for how long it is remembered.",
            ),
            Self::OrOwnId => (
                Required::False,
                "As everywhere; needed when there is no `generation_id`. One generation is charged once, whatever \
                 key is sent.",
            ),
        };
        Some(
            ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .required(required)
                .description(Some(description))
                .schema(Some(RefOr::Ref(Ref::from_schema_name("Key"))))
                .build(),
        )
    }
}
