//! What can customers do on the portal? Cancel, withdraw a cancellation, change the plan, and replace the card.

mod acting;
mod showing;

use std::sync::Arc;

use acting::act;
use axum::{
    extract::{Path, State as Shares},
    response::Response,
};
use maud::{Markup, html};
use showing::body;

use crate::{
    failure::SandboxFailure,
    pages::{
        filled,
        html::{alert, status, web_address},
        lead_to, show, wrong,
    },
    shared::SharedSandbox,
    state::SandboxState,
    store::portal::PortalSession,
};

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>, Path(secret): Path<String>) -> Response {
    shown(shared.with(|state| {
        let session = find(state, &secret)?;
        body(state, &session, &html! {})
    }))
}

fn shown(main: Result<Markup, SandboxFailure>) -> Response {
    match main {
        Ok(main) => show("Your subscription", &main),
        Err(failure) => wrong(&failure),
    }
}

fn find(state: &SandboxState, secret: &str) -> Result<PortalSession, SandboxFailure> {
    let session = state.store.portal_sessions.iter().find(|session| session.secret == secret);
    session.cloned().ok_or_else(|| SandboxFailure::no_such("billing portal session", "…"))
}

pub(super) async fn change(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(secret): Path<String>,
    form: String,
) -> Response {
    let wanted = filled(&form);
    let done = shared.with(|state| {
        let session = find(state, &secret)?;
        match act(state, &session, &wanted) {
            Ok(said) => match after(&session) {
                Some(url) => Ok(AfterPortal::Elsewhere(url)),
                None => body(state, &session, &status(said)).map(AfterPortal::Here),
            },
            Err(failure) => body(state, &session, &alert(failure.message())).map(AfterPortal::Here),
        }
    });
    shared.wake.notify_one();
    match done {
        Ok(AfterPortal::Elsewhere(url)) => lead_to(&url),
        Ok(AfterPortal::Here(main)) => shown(Ok(main)),
        Err(failure) => shown(Err(failure)),
    }
}

/// What follows an action: a message on the page, or a redirect.
enum AfterPortal {
    Here(Markup),
    Elsewhere(String),
}

/// Where the person is sent after the action that the page was opened for.
fn after(session: &PortalSession) -> Option<String> {
    let flow = session.flow.as_ref()?;
    flow.redirect.as_deref().and_then(web_address).map(str::to_owned)
}
