//! Why can a query not be answered?

use crate::{
    domain::refusal::Refusal,
    http::{position::Token, schema::Place},
    queries::QueryError,
};

use super::{Fault, explain};

explain! {
    QueryError, also {
        Self::View(error) => error.explain(),
        Self::Projector(error) => error.explain(),
        Self::Journal(error) => error.explain(),
        Self::AccountNotFound => Refusal::AccountNotFound.explain(),
        error @ (Self::Unsettled(_) | Self::Stopped(_)) => Fault::of(error).explain(),
    };

    Self::PositionUnknown => PositionUnknown = UNPROCESSABLE_ENTITY,
        "position_unknown", "The ledger has not reached this position",
        "Send a `position` that this ledger answered.";
    Self::PositionTimeout { reached } => PositionTimeout = SERVICE_UNAVAILABLE,
        "position_timeout", "The read model has not reached this position yet",
        "Ask again after `Retry-After` seconds, or without `min_position` for what is known up to `as_of_position`.",
        says format!("It is at {}.", Token::of(reached.clone())),
        with { as_of_position: Place = Token::of(reached), };
}

/// The problems of queries that are answered from events.
pub type Reading = (PositionUnknown,);
/// The problems of queries that are answered from a read model, which may lag.
pub type ReadingModel = (PositionUnknown, PositionTimeout);
