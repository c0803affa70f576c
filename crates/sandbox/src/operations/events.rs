//! `/v1/events`: what has happened in the last 30 days.

use super::{SandboxAnswer, SandboxOperation, operation};
use crate::{
    calendar::DAY_S, call::Call, failure::SandboxFailure, objects::Shown, objects::paging::page,
    state::SandboxState,
};

pub const OPERATIONS: &[SandboxOperation] =
    &[operation("GET", "/v1/events", list), operation("GET", "/v1/events/{id}", retrieve)];

/// How long events can be read, in seconds.
const KEPT_S: i64 = 30 * DAY_S;
const TYPES_MAX: usize = 20;

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let types = call.params.texts("types");
    if types.len() > TYPES_MAX {
        return Err(
            SandboxFailure::invalid(format!("You may pass at most {TYPES_MAX} types.")).param("types")
        );
    }
    let kind = call.params.text("type");
    if kind.is_some() && !types.is_empty() {
        return Err(
            SandboxFailure::invalid("You may pass either type or types, but not both.").param("types")
        );
    }
    let delivered = call.params.boolean("delivery_success");
    let oldest = state.store.now.saturating_sub(KEPT_S);
    page(&state.store, &state.outbox.events, call, "/v1/events", |event| {
        event.created >= oldest
            && (types.is_empty() || types.contains(&event.kind))
            && kind.is_none_or(|kind| fits(&event.kind, kind))
            && delivered.is_none_or(|delivered| (event.pending == 0) == delivered)
    })
}

/// Whether the type of an event is the wanted one, which may end in `*`.
fn fits(kind: &str, wanted: &str) -> bool {
    wanted.strip_suffix('*').map_or(kind == wanted, |start| kind.starts_with(start))
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let oldest = state.store.now.saturating_sub(KEPT_S);
    let event = state.outbox.events.get(call.id())?;
    if event.created < oldest {
        Err(SandboxFailure::no_such("event", call.id()))
    } else {
        Ok(event.render(&state.store))
    }
}
